import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** A fixture that runs in a process of its own. It is killed when the test ends. */
export class FixtureProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = "";

  constructor(fixture: string, parameters: readonly (string | number)[], options: SpawnOptions = {}) {
    const file = fileURLToPath(new URL(`fixtures/${fixture}.mjs`, import.meta.url));
    // Warnings of Node are not for the output.
    const command = ["--no-warnings", file, ...parameters.map(String)];
    this.#child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"], ...options });
    this.#exited = once(this.#child, "exit");
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
    onTestFinished(() => this.kill());
  }

  /** Everything that it printed. */
  get output(): string {
    return this.#output;
  }

  /** SIGKILL. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exit();
  }

  /** SIGTERM; answers the exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    return this.exit();
  }

  async exit(): Promise<number | null> {
    await this.#exited;
    return this.#child.exitCode;
  }
}

/** The whole lines of a fixture's log, none while there is no log. */
export function logLines(log: string): string[] {
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(0, -1) : [];
}

/** The ids of the lines that begin with this word. */
export function loggedIds(log: string, word: string): string[] {
  return logLines(log)
    .filter((line) => line.startsWith(`${word} `))
    .map((line) => line.slice(word.length + 1));
}
