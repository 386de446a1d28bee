import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { nowUs } from "./payload.ts";
import { placeVariable, type WorkerPlace } from "./q-worker/place.ts";

const program = fileURLToPath(import.meta.resolve("@q/cli/dist/main.js"));
const app = fileURLToPath(new URL("./q-worker/app.js", import.meta.url));

/** `q worker`, as its users start it. */
export class CommandWorker {
  readonly #process: ChildProcess;
  readonly #startedAtUs: number = nowUs();
  readonly #exited: Promise<unknown[]>;

  private constructor(place: WorkerPlace) {
    this.#process = fork(program, ["worker", "--config", app, "-c", "10"], {
      env: { ...process.env, [placeVariable]: JSON.stringify(place) },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#exited = once(this.#process, "exit");
  }

  static start(place: WorkerPlace): CommandWorker {
    return new CommandWorker(place);
  }

  /** From the start of its process to that of its first task. @throws Error when it ends before */
  async msToFirstTask(): Promise<number> {
    const [atUs] = await Promise.race([once(this.#process, "message"), this.#exited.then(() => [])]);
    if (typeof atUs !== "number") throw new Error("q worker ended before its first task");
    return (atUs - this.#startedAtUs) / 1000;
  }

  /** Tells it to stop. @throws Error when it fails to */
  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    const [code] = await this.#exited;
    if (code !== 0) throw new Error(`q worker ended with ${String(code)}`);
  }

  /** Ends it as it is. Never throws. */
  async end(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#exited;
  }
}
