import type { AnyPlace } from "./peer.ts";

/** What a server has used since it was started. */
export interface ServerCounters {
  /** Absent where the system does not tell. */
  readonly cpuUs?: number;
  /** Absent where the server does not count them. */
  readonly commands?: number;
  /** Absent where memory says little: what waits lies on the disks. */
  readonly usedBytes?: number;
}

/** A server of the bench's own. */
export interface BenchServer {
  /** Where all peers work, one at a time. */
  readonly place: AnyPlace;
  /** Its name and version. */
  describe(): Promise<string>;
  counters(): Promise<ServerCounters>;
  /** Changes settings of the server until what it resolves with is called. Absent where it has none that a workload asks for. */
  configure?(settings: Readonly<Record<string, string>>): Promise<() => Promise<void>>;
  /** Nothing of the runs before is left. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}
