import { readFileSync, readlinkSync } from "node:fs";

/** What tells a process from every other one on this machine, also from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in clock ticks since the machine's start. `null` where the system does not tell. */
  readonly startedAt: string | null;
  /** Changes whenever the machine starts. `null` where the system does not tell. */
  readonly bootId: string | null;
  /** Inside which numbering `pid` is meant: containers have their own. `null` where the system does not tell. */
  readonly pidNamespace: string | null;
}

/** `unknown`: from here it cannot be seen. */
export type Life = "alive" | "dead" | "unknown";

/** Tells who this process is, and whether others are alive. Needs no clock, so nobody is taken for dead because he is slow. */
export interface Liveness {
  readonly own: ProcessIdentity;
  /**
   * Whether a process of this machine lives. One of an earlier start of the machine is dead, if it had the same `pidNamespace`; whoever may mean another
   * machine compares `bootId` first.
   */
  check(other: ProcessIdentity): Life;
}

/** Judges by `/proc` on Linux. Elsewhere a process that has gone is seen, and everything else is `unknown`. Reads nothing before it is asked. */
export function systemLiveness(): Liveness {
  let known: ProcessIdentity | undefined;
  const own = (): ProcessIdentity => (known ??= ownIdentity());
  return {
    get own() {
      return own();
    },
    check: (other) => lifeOf(other, own()),
  };
}

function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    startedAt: processOf(process.pid)?.startedAt ?? null,
    bootId: attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    pidNamespace: attempt(() => readlinkSync("/proc/self/ns/pid")),
  };
}

function lifeOf(other: ProcessIdentity, own: ProcessIdentity): Life {
  // First, because some kinds of containers (LXC, systemd-nspawn) have a boot id of their own.
  if (other.pidNamespace !== own.pidNamespace) return "unknown";
  // Of one machine: what its processes share cannot outlive a start of it.
  if (other.bootId !== null && own.bootId !== null && other.bootId !== own.bootId) return "dead";
  const found = processOf(other.pid);
  // A zombie has ended; only its parent has not asked how.
  if (found !== undefined && (found.state === "Z" || found.state === "X")) return "dead";
  if (found !== undefined && other.startedAt !== null) return found.startedAt === other.startedAt ? "alive" : "dead";
  return isGone(other.pid) ? "dead" : "unknown";
}

/** The number is nobody's. A process that may not be signalled, or that `/proc` hides, is still there. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** State and start time of a process by proc_pid_stat(5), or `undefined` when there is none to be seen. */
function processOf(pid: number): { readonly state: string; readonly startedAt: string } | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  // The command's name, in parentheses, may hold anything; the state is the third field, the start time the twenty-second.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startedAt] = [fields?.[0], fields?.[19]];
  return state === undefined || startedAt === undefined ? undefined : { state, startedAt };
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    // Not Linux, or no such process: the caller knows what `null` means.
    return null;
  }
}
