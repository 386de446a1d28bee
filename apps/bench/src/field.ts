import type { BenchServer, ServerCounters } from "./bench-server.ts";
import { Child } from "./child.ts";
import type { CrewOrder, CrewReport, CrewSetup } from "./crew/orders.ts";
import type { FieldName } from "./field-name.ts";
import type { RunOrder, RunnerSetup, RunReport } from "./runner/orders.ts";
import type { SendCost, SenderSetup, SendOrder } from "./sender/orders.ts";
import { startServer } from "./servers.ts";

/** A server, and the processes that work on it. */
export class Field {
  readonly name: FieldName;
  readonly #server: BenchServer;
  readonly #children = new Set<{ end(): Promise<void> }>();

  private constructor(name: FieldName, server: BenchServer) {
    this.name = name;
    this.#server = server;
  }

  static async open(name: FieldName): Promise<Field> {
    return new Field(name, await startServer(name));
  }

  /** Name and version of its server. */
  describe(): Promise<string> {
    return this.#server.describe();
  }

  counters(): Promise<ServerCounters> {
    return this.#server.counters();
  }

  /** Nothing of the runs before is left. */
  clear(): Promise<void> {
    return this.#server.clear();
  }

  /** A producer of a peer, connected. @throws Error */
  sender(peer: string): Promise<Child<SendOrder, SendCost>> {
    const setup: SenderSetup = { field: this.name, peer, place: this.#server.place };
    return this.#start<SendOrder, SendCost>("./sender/main.js", setup);
  }

  /** A worker of a peer, that has begun to work. @throws Error */
  runner(peer: string, order: Omit<RunnerSetup, "field" | "peer" | "place">): Promise<Child<RunOrder, RunReport>> {
    const setup: RunnerSetup = { ...order, field: this.name, peer, place: this.#server.place };
    return this.#start<RunOrder, RunReport>("./runner/main.js", setup);
  }

  /** One of several workers of a peer, that waits for the order to work. @throws Error */
  worker(peer: string, order: Omit<CrewSetup, "field" | "peer" | "place">): Promise<Child<CrewOrder, CrewReport>> {
    const setup: CrewSetup = { ...order, field: this.name, peer, place: this.#server.place };
    return this.#start<CrewOrder, CrewReport>("./crew/main.js", setup);
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
