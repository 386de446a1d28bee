import { execFile, type ExecFileException } from "node:child_process";
import type { Logger, Worker, WorkerEvent } from "@q/core";
import { counted } from "../output/numbers.ts";

/** Part of systemd. Node cannot write to the kind of socket that systemd listens on. */
const program = "systemd-notify";
/** As long as the program itself waits for systemd to have read the message. */
const answerMs = 5000;

type Env = Record<string, string | undefined>;

/** What systemd is told about a process. */
export interface SystemdSubject {
  /** Whether it does its work. Asked from the event loop: one that does not turn asks nobody, and systemd hears nothing. */
  readonly isLive: () => boolean;
  /** One line for `systemctl status`. */
  readonly status: () => string;
}

type FollowedWorker = Pick<Worker, "state" | "concurrency" | "failed" | "stats">;

interface SystemdOptions {
  readonly env: Env;
  /** `undefined`: this unit has no watchdog. */
  readonly watchdogMs: number | undefined;
  readonly logger: Logger;
}

/** Tells systemd (`Type=notify`) when the process is ready, how it is, and when it stops; feeds the watchdog (`WatchdogSec=`) while it is live. */
export class Systemd {
  readonly #env: Env;
  readonly #watchdogMs: number | undefined;
  readonly #logger: Logger;
  #subject: SystemdSubject | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Messages go one after the other, so that they arrive in order. */
  #sending: Promise<void> = Promise.resolve();
  #waiting = 0;
  #hasWarned = false;
  #isMissing = false;

  private constructor({ env, watchdogMs, logger }: SystemdOptions) {
    this.#env = env;
    this.#watchdogMs = watchdogMs;
    this.#logger = logger;
  }

  /**
   * `undefined` where systemd did not start this process or does not ask. Takes the variables out of the environment: what handlers start is
   * not to speak for the worker.
   */
  static join(env: Env, logger: Logger): Systemd | undefined {
    const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, PATH } = env;
    for (const variable of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[variable];
    if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === "") return undefined;
    const isWatched = Number(WATCHDOG_USEC) > 0 && (WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid);
    return new Systemd({
      env: { PATH, NOTIFY_SOCKET },
      watchdogMs: isWatched ? Number(WATCHDOG_USEC) / 1000 : undefined,
      logger,
    });
  }

  /** Answers what is to be called with every event of the worker. */
  follow(worker: FollowedWorker): (event: WorkerEvent) => void {
    let hasFailed = false;
    void worker.failed.then(() => (hasFailed = true));
    const subject = {
      // A worker that hears nothing of its consumers fails by itself. One whose broker is away would not be helped by a restart.
      isLive: () => !hasFailed,
      status: () => statusOf(worker),
    };
    return ({ type }) => {
      if (type === "worker.ready") this.ready(subject);
      if (type === "worker.paused" || type === "worker.resumed") this.#send([]);
      if (type === "worker.stopping") this.stopping();
    };
  }

  /** From now on the watchdog is fed, twice in the time that systemd gives. */
  ready(subject: SystemdSubject): void {
    this.#subject = subject;
    this.#send(["READY=1"]);
    if (this.#watchdogMs !== undefined) this.#timer ??= setInterval(() => this.#feed(), this.#watchdogMs / 2).unref();
  }

  stopping(): void {
    this.#send(["STOPPING=1"]);
  }

  /** Waits until what was said is on its way, for some seconds at most. Never rejects. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
  }

  #feed(): void {
    // One that waits already says as much.
    if (this.#waiting === 0 && this.#subject?.isLive() === true) this.#send(["WATCHDOG=1"]);
  }

  #send(assignments: readonly string[]): void {
    const status = this.#subject === undefined ? [] : [`STATUS=${this.#subject.status()}`];
    this.#waiting += 1;
    this.#sending = this.#sending.then(() => this.#run([...assignments, ...status]));
  }

  /** Never rejects. */
  async #run(assignments: readonly string[]): Promise<void> {
    if (!this.#isMissing) {
      const error = await new Promise<ExecFileException | null>((resolve) => {
        execFile(program, assignments, { env: this.#env, timeout: answerMs }, resolve);
      });
      if (error !== null) this.#onFailed(error);
    }
    this.#waiting -= 1;
  }

  #onFailed(error: ExecFileException): void {
    this.#isMissing = error.code === "ENOENT";
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#logger.warn(
      { err: error },
      this.#isMissing
        ? `there is no ${program} on the PATH: systemd is told nothing, and ends a unit of Type=notify`
        : `${program} failed: systemd may not know how this worker is`,
    );
  }
}

function statusOf(worker: FollowedWorker): string {
  const { busy, finished } = worker.stats();
  const work = `${busy} of ${worker.concurrency} slots busy, ${counted(finished, "task")} done`;
  return worker.state === "running" ? work : `${worker.state}: ${work}`;
}
