import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../processes/fleet-worker.mjs", import.meta.url));

/** Which broker a worker of ours is to use. */
export interface FleetBroker {
  /** The URL of the adapter's module, as it was built. */
  readonly module: string;
  /** What that exports to make a broker of options. */
  readonly factory: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A worker of ours in a process of its own, from what was built. */
export class FleetWorker {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = "";

  private constructor(broker: FleetBroker, notes: string) {
    this.#child = spawn(process.execPath, [program, JSON.stringify({ ...broker, notes })], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#exited = once(this.#child, "exit");
  }

  /** @throws Error with what it printed, when it ends before it is ready */
  static async start(broker: FleetBroker, notes: string): Promise<FleetWorker> {
    const started = new FleetWorker(broker, notes);
    const { stdout, stderr } = started.#child;
    const ready = new Promise<void>((resolve) => {
      for (const stream of [stdout, stderr])
        stream?.on("data", (text: Buffer) => {
          started.#output += text.toString();
          if (started.#output.startsWith("ready\n")) resolve();
        });
    });
    await Promise.race([ready, started.#exited]);
    if (!started.#output.startsWith("ready\n")) throw new Error(`the worker did not start:\n${started.#output}`);
    return started;
  }

  /** What it printed besides. */
  get output(): string {
    return this.#output.replace("ready\n", "");
  }

  /** SIGTERM; answers the exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    await this.#exited;
    return this.#child.exitCode;
  }
}
