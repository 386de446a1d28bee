import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A file of `fixtures` that runs in a process of its own, from what was built. Says `ready` when it is. */
export class FixtureProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = "";

  private constructor(fixture: string, parameters: readonly string[]) {
    const file = fileURLToPath(new URL(`fixtures/${fixture}.mjs`, import.meta.url));
    this.#child = spawn(process.execPath, [file, ...parameters], { stdio: ["pipe", "pipe", "pipe"] });
    this.#exited = once(this.#child, "exit");
  }

  /** @throws Error with what it printed, when it ends before it is ready */
  static async start(fixture: string, parameters: readonly string[]): Promise<FixtureProcess> {
    const started = new FixtureProcess(fixture, parameters);
    const { stdout, stderr } = started.#child;
    const ready = new Promise<void>((resolve) => {
      for (const stream of [stdout, stderr])
        stream?.on("data", (text: Buffer) => {
          started.#output += text.toString();
          if (started.#output.startsWith("ready\n")) resolve();
        });
    });
    await Promise.race([ready, started.#exited]);
    if (!started.#output.startsWith("ready\n")) throw new Error(`${fixture} did not start:\n${started.#output}`);
    return started;
  }

  /** What it printed besides. */
  get output(): string {
    return this.#output.replace("ready\n", "");
  }

  /** `null` while it runs. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** SIGKILL, which also ends one that hears nothing any more. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** SIGTERM; answers the exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    await this.#exited;
    return this.#child.exitCode;
  }
}
