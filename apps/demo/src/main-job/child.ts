import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { demoFolder } from "../folder.ts";

const preload = new URL("../../exit-with-parent.mjs", import.meta.url).href;

/** How a child came to its end. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A Node process of ours. It ends with us, also when we are killed without a word. */
export class Child {
  readonly name: string;
  /** Resolves when it is gone and all of its output has been read. */
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;
  readonly #complaints: string[] = [];

  /**
   * Starts it.
   * @param script path of the script, relative to the demo's folder
   */
  constructor(name: string, script: string, args: readonly string[], onLine: (line: string) => void) {
    this.name = name;
    // Its own process group: Ctrl-C in a terminal then reaches only us, and we stop the children in order.
    this.#process = spawn(
      process.execPath,
      ["--import", preload, fileURLToPath(new URL(script, `file://${demoFolder}`)), ...args],
      {
        cwd: demoFolder,
        detached: true,
        env: { ...process.env, NODE_NO_WARNINGS: "1" },
        stdio: ["ignore", "pipe", "pipe", "ipc"],
      },
    );
    this.exited = new Promise((resolve) => {
      this.#process.on("error", (error) => {
        this.#complain(error.message);
        // A process that could not be started never closes.
        if (this.#process.pid === undefined) resolve({ code: null, signal: null });
      });
      this.#process.on("close", (code, signal) => resolve({ code, signal }));
    });
    const { stdout, stderr } = this.#process;
    if (stdout !== null) createInterface({ input: stdout }).on("line", onLine);
    if (stderr !== null) createInterface({ input: stderr }).on("line", (line) => this.#complain(line));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The last lines that it wrote to its standard error. */
  get complaints(): string {
    return this.#complaints.join("\n");
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#process.on("message", listener);
  }

  /** Sends a signal, if it still runs. */
  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#process.kill(signal);
  }

  /** Asks it to end; after `withinMs` it is made to. Resolves when it is gone. May be called twice. */
  async stop(withinMs: number): Promise<ChildExit> {
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), withinMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  #complain(line: string): void {
    this.#complaints.push(line);
    if (this.#complaints.length > 20) this.#complaints.shift();
  }
}
