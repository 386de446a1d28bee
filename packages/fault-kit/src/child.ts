import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export type Program = "worker" | "producer" | "claimer";

/** What a program is told, on top of where the broker and the log are. */
export type Orders = Readonly<Record<string, unknown>>;

/** What a process is started in, beside what it is told. */
export interface Surroundings {
  /** Added to its environment, such as that of a `ClockShim`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node. */
  readonly nodeArgs?: readonly string[];
}

const endsWithinMs = 15_000;

/** A process of a row. It dies with the test. */
export class Child {
  readonly pid: number;
  readonly exited: Promise<void>;
  readonly #process: ChildProcess;
  readonly #output: string;
  /** Whether a row has ended it, and not it itself. */
  #isEnded = false;

  private constructor(process: ChildProcess, pid: number, output: string) {
    this.#process = process;
    this.pid = pid;
    this.#output = output;
    this.exited = once(process, "exit").then(() => undefined);
  }

  static start(
    program: Program,
    orders: Orders,
    { output, env = {}, nodeArgs = [] }: Surroundings & { readonly output: string },
  ): Child {
    const file = fileURLToPath(new URL(`../processes/${program}.mjs`, import.meta.url));
    const out = openSync(output, "a");
    const process_ = spawn(process.execPath, [...nodeArgs, file, JSON.stringify(orders)], {
      stdio: ["ignore", out, out],
      env: { ...process.env, ...env },
    });
    closeSync(out);
    if (process_.pid === undefined) throw new Error(`could not start ${program}`);
    return new Child(process_, process_.pid, output);
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** `exit code 1`, `SIGKILL`, and its last words, when it ended although no row wanted it to. */
  get failure(): string | undefined {
    const { exitCode, signalCode } = this.#process;
    if (this.isRunning || exitCode === 0 || this.#isEnded) return undefined;
    return `${signalCode ?? `exit code ${exitCode}`}: ${this.output.trim().split("\n").slice(-15).join("\n")}`;
  }

  /** All that it has printed: its warnings. */
  get output(): string {
    return readFileSync(this.#output, "utf8");
  }

  async kill(): Promise<void> {
    this.#isEnded = true;
    this.#process.kill("SIGKILL");
    await this.exited;
  }

  /** SIGTERM. One that does not end by it is killed, and has failed. */
  async stop(): Promise<void> {
    if (this.isRunning) this.#process.kill("SIGTERM");
    const late = setTimeout(() => this.#process.kill("SIGKILL"), endsWithinMs);
    await this.exited;
    clearTimeout(late);
  }

  freeze(): void {
    this.#process.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process.kill("SIGCONT");
  }
}
