import { Child } from "./child.ts";

/** Ends of one run of a message, as the worker reports them. */
const ends: ReadonlySet<string> = new Set([
  "task.succeeded",
  "task.retried",
  "task.ignored",
  "task.dead",
  "task.released",
  "task.lost",
]);

/** A `q worker` in a process of its own, and what its log lines tell. */
export class WorkerProcess {
  readonly child: Child;
  /** Resolves when it takes tasks; `false` when it ended before. */
  readonly ready: Promise<boolean>;
  readonly #held: Set<string> = new Set();
  #markReady: (ready: boolean) => void = () => {};
  #heardAt = 0;
  #retried = 0;

  /** @param cli path of the `q` command's script */
  constructor(name: string, cli: string) {
    this.ready = new Promise((resolve) => {
      this.#markReady = resolve;
    });
    const args = ["worker", "--name", name, "--log-format", "json", "--log-level", "debug"];
    this.child = new Child(name, cli, args, (line) => this.#read(line));
    void this.child.exited.then(() => this.#markReady(false));
  }

  /** Ids of the messages whose task it has begun and not ended, as far as its lines have been read. */
  get held(): ReadonlySet<string> {
    return this.#held;
  }

  /** How often it has put a message back to be retried. */
  get retried(): number {
    return this.#retried;
  }

  /** Milliseconds since its last line. */
  get silentMs(): number {
    return performance.now() - this.#heardAt;
  }

  #read(line: string): void {
    this.#heardAt = performance.now();
    const { event, id } = parse(line);
    if (event === "worker.ready") this.#markReady(true);
    if (typeof id !== "string" || typeof event !== "string") return;
    if (event === "task.started") this.#held.add(id);
    if (ends.has(event)) this.#held.delete(id);
    if (event === "task.retried") this.#retried++;
  }
}

function parse(line: string): { event?: unknown; id?: unknown } {
  try {
    // True: the worker writes objects.
    return JSON.parse(line) as { event?: unknown; id?: unknown };
  } catch {
    // A line that is no JSON, such as a warning of Node's, says nothing about tasks.
    return {};
  }
}
