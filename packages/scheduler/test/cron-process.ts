import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { ClockShim } from "@q/test-servers";

const program = fileURLToPath(new URL("fixtures/cron.mjs", import.meta.url));

export interface CronOrders {
  readonly adapter: "amqp" | "redis" | "sqlite";
  readonly url: string;
}

/** What a process has said. */
export interface Said {
  readonly type: string;
  readonly at?: number;
  readonly wall?: number;
  readonly error?: string;
}

/** A place for one cron process after the other, each with the same wrong clock. */
export class CronPlace {
  readonly said: Said[] = [];
  /** How wrong the clock of each process was when it began, in milliseconds. */
  readonly wrongBy: number[] = [];
  readonly #orders: CronOrders;
  readonly #shim: ClockShim;
  #child: ChildProcess | undefined;
  #stderr = "";

  private constructor(orders: CronOrders, shim: ClockShim) {
    this.#orders = orders;
    this.#shim = shim;
  }

  static async create(orders: CronOrders, offsetMs: number): Promise<CronPlace> {
    const place = new CronPlace(orders, await ClockShim.create());
    place.turnClock(offsetMs);
    return place;
  }

  /** All that went to standard error. */
  get complaints(): string {
    return this.#stderr;
  }

  /** Sets its clock, also under a process that runs. */
  turnClock(offsetMs: number): void {
    this.#shim.offset(offsetMs);
  }

  start(): void {
    const child = spawn(process.execPath, [program, JSON.stringify(this.#orders)], {
      env: { ...process.env, ...this.#shim.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    let rest = "";
    child.stdout.on("data", (chunk: Buffer) => {
      const lines = `${rest}${chunk.toString()}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#hear(JSON.parse(line) as Said);
    });
    child.stderr.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async remove(): Promise<void> {
    await this.#end("SIGTERM");
    await this.#shim.remove();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), 15_000);
    await exited;
    clearTimeout(late);
  }

  #hear(said: Said): void {
    this.said.push(said);
    if (said.wall !== undefined) this.wrongBy.push(said.wall - Date.now());
  }
}
