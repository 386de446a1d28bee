import { RedisServer } from "@q/test-servers";
import { Child } from "./child.ts";
import type { Place } from "./peer.ts";
import type { RunOrder, RunnerSetup, RunReport } from "./runner/orders.ts";
import type { SendCost, SenderSetup, SendOrder } from "./sender/orders.ts";

/** What a server says of itself, since it was started. */
export interface ServerCounters {
  readonly commands: number;
  readonly cpuUs: number;
  readonly usedBytes: number;
}

/** A Redis server without persistence, and the processes that work on it. */
export class RedisField {
  readonly #server: RedisServer;
  readonly #children = new Set<{ end(): Promise<void> }>();

  private constructor(server: RedisServer) {
    this.#server = server;
  }

  static async open(): Promise<RedisField> {
    return new RedisField(await RedisServer.start());
  }

  get place(): Place {
    return { host: this.#server.host, port: this.#server.port, queue: "bench" };
  }

  async version(): Promise<string> {
    const info = String(await this.#server.command("INFO", "server"));
    return /^redis_version:(.*)\r$/m.exec(info)?.[1] ?? "unknown";
  }

  async counters(): Promise<ServerCounters> {
    return readCounters(String(await this.#server.command("INFO", "everything")));
  }

  /** Nothing of the runs before is left. */
  async clear(): Promise<void> {
    await this.#server.command("FLUSHALL", "SYNC");
  }

  /** A producer of a peer, connected. @throws Error */
  sender(peer: string): Promise<Child<SendOrder, SendCost>> {
    const setup: SenderSetup = { peer, place: this.place };
    return this.#start<SendOrder, SendCost>("./sender/main.js", setup);
  }

  /** A worker of a peer, that has begun to work. @throws Error */
  runner(peer: string, order: Omit<RunnerSetup, "peer" | "place">): Promise<Child<RunOrder, RunReport>> {
    const setup: RunnerSetup = { ...order, peer, place: this.place };
    return this.#start<RunOrder, RunReport>("./runner/main.js", setup);
  }

  /** Ends everything that was started here. Never throws. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#children].map((child) => child.end()));
    await this.#server.stop();
  }

  async #start<Question, Answer>(program: string, setup: unknown): Promise<Child<Question, Answer>> {
    const child = new Child<Question, Answer>(program);
    this.#children.add(child);
    await child.setUp(setup);
    return child;
  }
}

/** @param info the answer to INFO */
export function readCounters(info: string): ServerCounters {
  const field = (name: string): number => {
    const value = new RegExp(`^${name}:([0-9.]+)\r?$`, "m").exec(info)?.[1];
    if (value === undefined) throw new Error(`the server does not tell its ${name}`);
    return Number(value);
  };
  return {
    commands: field("total_commands_processed"),
    cpuUs: (field("used_cpu_user") + field("used_cpu_sys")) * 1e6,
    usedBytes: field("used_memory"),
  };
}
