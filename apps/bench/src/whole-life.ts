import type { Measurement } from "./results.ts";

const parts = ["enqueue, 100 in flight", "drain, concurrency 100"] as const;

/** What a task costs the server from its send to its end, by peer and repeat, where both were measured. */
export function wholeLife(measurements: readonly Measurement[]): readonly Measurement[] {
  const [sends, drains] = parts.map((part) => measurements.filter(({ workload }) => workload === part));
  return (sends ?? []).flatMap((send) => {
    const drain = drains?.find(({ peer, repeat }) => peer === send.peer && repeat === send.repeat);
    if (drain === undefined) return [];
    const { commands = 0, serverUs = 0 } = send.sample;
    const sample = {
      commands: commands + (drain.sample.commands ?? 0),
      serverUs: serverUs + (drain.sample.serverUs ?? 0),
    };
    return [{ ...send, workload: "whole life", sample }];
  });
}
