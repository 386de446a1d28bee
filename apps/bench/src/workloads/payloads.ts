import type { Size, Workload } from "../workload.ts";
import { drain } from "./drain.ts";
import { enqueue } from "./enqueue.ts";

/** What is done with bytes costs the more, the more there are; all other workloads have 100 bytes of arguments. */
export function payloads(argumentBytes: number, size: Size): readonly Workload[] {
  const behind = `${argumentBytes / 1000} kB of arguments`;
  return [
    { ...enqueue("100 in flight", size, argumentBytes), name: `payload: enqueue, ${behind}` },
    { ...drain(100, size, argumentBytes), name: `payload: drain, ${behind}` },
  ];
}
