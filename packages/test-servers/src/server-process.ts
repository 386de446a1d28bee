import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { isStopped } from "./thread-states.ts";

export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Everything that it prints is appended to this file. */
  readonly logFile: string;
  /** A folder to remove if this process dies before the server does. */
  readonly ownFolder?: string;
  /** Whose rights it has, instead of those of this process. */
  readonly owner?: Owner | undefined;
  /** Milliseconds that it has to end after SIGTERM before it is killed. Default 5000. */
  readonly endsWithinMs?: number;
}

/** A user of the system. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** For a process that is to stop. Milliseconds. */
const longestStopMs = 5000;
/** To pause without a turn of the event loop. */
const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));

// `read` ends when the pipe does, and the pipe ends with the process that holds its other end, however that died.
// Ctrl-C reaches the watcher as well, and must not end it before it has done its work.
const watcher = `trap "" HUP INT TERM; read -r _; kill -9 "$1"; [ -z "$2" ] || rm -rf -- "$2"`;

/** One run of a server program. It does not outlive the process that started it, not even one that is killed. */
export class ServerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #endsWithinMs: number;

  private constructor(child: ChildProcess, pid: number, ownFolder: string, endsWithinMs: number) {
    this.pid = pid;
    this.#endsWithinMs = endsWithinMs;
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("exit", resolve);
    });
    const watching = spawn("sh", ["-c", watcher, "watcher", String(pid), ownFolder], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    // Without a shell there is no watcher, and all that is lost is that a killed test leaves its server behind.
    watching.once("error", () => undefined);
    child.once("exit", () => watching.kill("SIGKILL"));
  }

  /** @throws Error when there is no such program */
  static async start({
    program,
    args,
    env,
    logFile,
    ownFolder = "",
    owner,
    endsWithinMs = 5000,
  }: Launch): Promise<ServerProcess> {
    const log = openSync(logFile, "a");
    try {
      const child = spawn(program, args, {
        env: { ...process.env, ...env },
        stdio: ["ignore", log, log],
        ...owner,
      });
      const spawned = once(child, "spawn");
      // Watched from the first moment on: a pid is there at once, or never.
      const started =
        child.pid === undefined ? undefined : new ServerProcess(child, child.pid, ownFolder, endsWithinMs);
      await spawned;
      if (started === undefined) throw new Error("it has no pid");
      return started;
    } catch (cause) {
      throw new Error(`expected to start ${program}, but could not: is it installed, and on the PATH?`, { cause });
    } finally {
      closeSync(log);
    }
  }

  /** How it ended: `exit code 1`, `SIGKILL`. Undefined while it runs. */
  get ended(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    return exitCode === null ? (signalCode ?? undefined) : `exit code ${exitCode}`;
  }

  /** Returns when it stands still: the signal reaches its threads one by one, and on a busy machine others answer meanwhile. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
    const until = performance.now() + longestStopMs;
    while (!isStopped(this.pid) && performance.now() < until) Atomics.wait(nobodyWakes, 0, 0, 1);
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  /** Resolves when it is gone. One that does not obey another signal than SIGKILL in time is killed. */
  async end(signal: "SIGKILL" | "SIGTERM" | "SIGINT"): Promise<void> {
    this.#child.kill(signal);
    // Frozen, it would not notice.
    if (signal !== "SIGKILL") this.#child.kill("SIGCONT");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), this.#endsWithinMs);
    await this.#exited;
    clearTimeout(late);
  }
}

/** The end of a log, for the text of an error. */
export function lastLines(logFile: string, count = 20): string {
  return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-count).join("\n");
}
