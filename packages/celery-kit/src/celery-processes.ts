import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

// The system's own Python: another one on the PATH does not see the packages of apt.
const python = "/usr/bin/python3";
const folder = fileURLToPath(new URL("../processes", import.meta.url));
const startsWithinMs = 60_000;

/** Whether Celery and its Redis client are here. */
export const celeryInstalled: boolean = spawnSync(python, ["-c", "import celery, redis"]).status === 0;

/** What the processes of Celery are connected to. */
export interface CeleryPlace {
  /** Of the broker, as Celery writes it. */
  readonly broker: string;
  /** A Redis server, whatever the broker, in which its tasks note what they saw. */
  readonly notes: string;
  /** Celery's `global_keyprefix` on Redis. Default none. */
  readonly prefix?: string;
}

export interface CeleryWorkerOptions {
  readonly queues: readonly string[];
  /** Default `solo`: one task at a time, in the worker's own process. `prefork` has two processes for them. */
  readonly pool?: "solo" | "prefork";
}

/** A process of `celery-app.py`, and what it printed. */
class CeleryProcess {
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown>;
  output = "";

  constructor(args: readonly string[], { broker, notes, prefix = "" }: CeleryPlace) {
    this.child = spawn(python, args, {
      cwd: folder,
      env: {
        ...process.env,
        Q_CELERY_BROKER: broker,
        Q_CELERY_NOTES: notes,
        Q_CELERY_PREFIX: prefix,
        C_FORCE_ROOT: "1",
        PYTHONDONTWRITEBYTECODE: "1",
      },
      // A group of its own, to which the processes of a pool belong as well.
      detached: true,
    });
    this.#exited = new Promise((resolve) => this.child.once("close", resolve));
    this.child.stderr?.on("data", (text: Buffer) => void (this.output += text.toString()));
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async stop(): Promise<void> {
    const { pid } = this.child;
    if (pid !== undefined && !this.hasEnded) process.kill(-pid, "SIGKILL");
    await this.#exited;
  }
}

/** A real Celery worker. */
export class CeleryWorker {
  readonly #process: CeleryProcess;

  private constructor(process: CeleryProcess) {
    this.#process = process;
  }

  /** Resolves when it takes messages. */
  static async start(place: CeleryPlace, { queues, pool = "solo" }: CeleryWorkerOptions): Promise<CeleryWorker> {
    const flags = [
      `--queues=${queues.join(",")}`,
      `--pool=${pool}`,
      // It holds four messages for each. One that may hold a single one looks for the next only every ten seconds.
      "--concurrency=2",
      `--hostname=${pool}@%h`,
      "--loglevel=info",
      "--without-gossip",
      "--without-mingle",
      "--without-heartbeat",
    ];
    const started = new CeleryProcess(["-m", "celery", "--app=celery-app", "worker", ...flags], place);
    const deadline = performance.now() + startsWithinMs;
    while (!started.output.includes(" ready.")) {
      if (started.hasEnded || performance.now() > deadline) {
        await started.stop();
        throw new Error(`the Celery worker did not start:\n${started.output}`);
      }
      await wait(20);
    }
    return new CeleryWorker(started);
  }

  /** Everything that it logged. */
  get log(): string {
    return this.#process.output;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

/** A Python service with the same Celery app, which says what it is told to. */
export class PythonService {
  readonly #process: CeleryProcess;
  readonly #asked: ((answer: Answer) => void)[] = [];

  /** Whatever it is told waits until it has started. */
  constructor(place: CeleryPlace) {
    this.#process = new CeleryProcess(["celery-app.py"], place);
    const { stdout, stdin } = this.#process.child;
    if (stdout === null || stdin === null) throw new Error("expected pipes");
    // What celery-app.py writes.
    createInterface(stdout).on("line", (line) => this.#asked.shift()?.(JSON.parse(line) as Answer));
    this.#process.child.once("close", () => {
      for (const answer of this.#asked.splice(0)) answer({ error: `it has ended:\n${this.#process.output}` });
    });
    // The end of the process says more.
    stdin.on("error", () => undefined);
  }

  /** The value of a Python expression; that of a task that was sent is its id. */
  async says(expression: string): Promise<unknown> {
    const { value, error } = await new Promise<Answer>((resolve) => {
      this.#asked.push(resolve);
      this.#process.child.stdin?.write(`${JSON.stringify(expression)}\n`);
    });
    if (error !== undefined) throw new Error(`${expression}: ${error}`);
    return value;
  }

  /** Sends a task; answers its id. */
  async sends(expression: string): Promise<string> {
    return String(await this.says(expression));
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
