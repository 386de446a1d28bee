import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Child } from "./child.ts";
import type { CrewOrder, CrewReport, CrewSetup } from "./crew/orders.ts";
import type { Scope } from "./workload.ts";
import { readWorkLog, type WorkRecord } from "./work-log.ts";

/** One of several workers, in a process of its own. */
export interface CrewMember {
  readonly worker: Child<CrewOrder, CrewReport>;
  /** What it has written down by now, also when it is dead. */
  log(): readonly WorkRecord[];
}

export interface CrewOptions extends Pick<CrewSetup, "concurrency" | "taskMs"> {
  readonly workers: number;
  /** Of a log: 1 loses nothing when the worker is killed, many take little time. */
  readonly recordsPerWrite: number;
}

/** Gives workers that are ready and wait for the order to work. They are the caller's to close; their logs are gone when it is done. */
export async function withCrew<T>(
  { field, peer }: Pick<Scope, "field" | "peer">,
  { workers, concurrency, taskMs, recordsPerWrite }: CrewOptions,
  use: (crew: readonly CrewMember[]) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "q-bench-"));
  try {
    const start = async (_: unknown, index: number): Promise<CrewMember> => {
      const file = join(folder, String(index));
      const worker = await field.worker(peer, { concurrency, taskMs, log: { file, recordsPerWrite } });
      return { worker, log: () => readWorkLog(file) };
    };
    return await use(await Promise.all(Array.from({ length: workers }, start)));
  } finally {
    await rm(folder, { recursive: true });
  }
}
