import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import { CronProcess } from "./cron-process.ts";
import { WorkerProcess } from "./worker-process.ts";

/** Path of the `q` command: its package exports nothing, so it is found beside its package.json. */
const cli: string = fileURLToPath(new URL("../../node_modules/@q/cli/dist/main.js", import.meta.url));

/** Longest wait for a child that was asked to end. */
const stopMs = 10_000;

/** A child ended that should not have, or never began. */
export class ChildFailed extends Error {
  constructor(child: Child, happened: string) {
    super(`${child.name} ${happened}${child.complaints === "" ? "" : `:\n${child.complaints}`}`);
  }
}

/** The processes of the main job. What it starts, it stops. */
export class Stage {
  /** Rejects when a process ends by itself, and when all are stopped. */
  readonly broken: Promise<never>;
  readonly #children = new Set<Child>();
  readonly #dismissed = new Set<Child>();
  #isStopped = false;
  #break: (error: Error) => void = () => {};

  constructor() {
    this.broken = new Promise((_resolve, reject) => {
      this.#break = reject;
    });
    // Nobody may be waiting when it happens during the end.
    this.broken.catch(() => {});
  }

  /** Starts the HTTP service; answers its URL when it listens. */
  async startService(): Promise<string> {
    this.#assertOpen();
    let heard: (url: string) => void = () => {};
    const url = new Promise<string>((resolve) => {
      heard = resolve;
    });
    const child = new Child("service", "service.mjs", [], () => {});
    child.onMessage((message) => {
      if (typeof message === "object" && message !== null && "url" in message) heard(String(message.url));
    });
    this.#watch(child);
    return await Promise.race([url, this.broken]);
  }

  /** Starts a worker; resolves when it takes tasks. */
  async startWorker(name: string): Promise<WorkerProcess> {
    this.#assertOpen();
    const worker = new WorkerProcess(name, cli);
    this.#watch(worker.child);
    await Promise.race([worker.ready, this.broken]);
    return worker;
  }

  /** Starts a cron process; resolves when it sends ticks. */
  async startCron(name: string): Promise<CronProcess> {
    this.#assertOpen();
    const cron = new CronProcess(name, cli);
    this.#watch(cron.child);
    await Promise.race([cron.ready, this.broken]);
    return cron;
  }

  /** Its end, from now on, is no accident. */
  dismiss(child: Child): void {
    this.#dismissed.add(child);
  }

  /** Stops everything; nothing can be started afterwards. Answers the names of those that did not end well. May be called twice. */
  async stop(): Promise<readonly string[]> {
    this.#isStopped = true;
    // Whoever still waits for one of them to be ready need not wait any longer.
    this.#break(new Error("the processes are being stopped"));
    for (const child of this.#children) this.dismiss(child);
    const ends: string[] = [];
    const end = async (child: Child): Promise<void> => {
      const { code, signal } = await child.stop(stopMs);
      if (code !== 0) ends.push(`${child.name} ended with ${signal ?? `exit code ${code}`}`);
    };
    await Promise.all([...this.#children].map(end));
    return ends;
  }

  #assertOpen(): void {
    if (this.#isStopped) throw new Error("the processes are being stopped");
  }

  #watch(child: Child): void {
    this.#children.add(child);
    void child.exited.then(({ code, signal }) => {
      this.#children.delete(child);
      if (!this.#dismissed.has(child))
        this.#break(new ChildFailed(child, `ended by itself (${signal ?? `exit code ${code}`})`));
    });
  }
}
