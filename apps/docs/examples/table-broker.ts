import { randomUUID } from "node:crypto";
import { BrokerError, PollingConsumer, PublishRejected, silentLogger } from "@q/core/broker";
import type {
  Broker,
  BrokerContext,
  Claim,
  ConsumeOptions,
  Consumer,
  Delivery,
  Logger,
  OutgoingMessage,
  QueueOptions,
  Settled,
} from "@q/core/broker";
import type { Row, Table } from "./table.ts";

/** A broker on a table. One of these is one process. */
export class TableBroker implements Broker {
  readonly name = "table";
  readonly address = "table:";
  readonly #table: Table;
  readonly #leaseMs: number;
  readonly #consumers = new Set<PollingConsumer>();
  readonly #wake = (): void => this.#consumers.forEach((consumer) => consumer.wake());
  #session = new Session();
  #logger: Logger = silentLogger;
  #beat: NodeJS.Timeout | undefined;

  constructor(table: Table, leaseMs = 30_000) {
    this.#table = table;
    this.#leaseMs = leaseMs;
  }

  get connected(): boolean {
    return this.#beat !== undefined;
  }

  async open({ logger }: BrokerContext): Promise<void> {
    if (this.connected) return;
    this.#logger = logger;
    this.#enter();
    // On the handlers' event loop, for brevity: one that blocks it for longer than the lease loses what it holds. Beat from a thread instead.
    this.#beat = setInterval(() => this.#renew(), this.#leaseMs / 3);
    this.#table.listeners.add(this.#wake);
  }

  async declare(queues: readonly QueueOptions[]): Promise<void> {
    this.#assertOpen();
    for (const { name, priorities } of queues) {
      if ((this.#table.queues.get(name)?.priorities ?? priorities) === priorities) continue;
      throw new BrokerError("Q1004", `queue "${name}" exists in another shape`, {
        hint: "declare it as it is, or use another name",
      });
    }
    for (const queue of queues) this.#table.queues.set(queue.name, queue);
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    if (!this.connected) throw new PublishRejected("Q1010", "the broker is not open: nothing was stored");
    for (const { delayMs, ...message } of structuredClone(messages)) this.#table.add(message, delayMs);
  }

  async consume(
    queues: readonly string[],
    { prefetch }: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    this.#assertOpen();
    let turn = 0;
    const claim = async (max: number): Promise<Claim> => {
      this.#renew();
      const deliveries: Delivery[] = [];
      for (let empty = 0; deliveries.length < max && empty < queues.length; turn += 1) {
        const row = this.#table.take(queues[turn % queues.length] ?? "", this.#session.holder);
        empty = row === undefined ? empty + 1 : 0;
        if (row !== undefined) deliveries.push(deliveryOf(this.#table, row, this.#session));
      }
      const dueAt = Math.min(...queues.map((queue) => this.#table.nextDueAt(queue) ?? Infinity));
      return { deliveries, nextDueMs: dueAt === Infinity ? undefined : Math.max(0, dueAt - Date.now()) };
    };
    const consumer = new PollingConsumer({ prefetch, claim, safetyPollMs: 5000, logger: this.#logger }, onDelivery);
    this.#consumers.add(consumer);
    return consumer;
  }

  async close(): Promise<void> {
    await this.#stop();
    this.#table.leave(this.#session.holder);
    this.#session.over.abort();
  }

  /** For the kit: dies as by SIGKILL. Nothing is given back. */
  async crash(): Promise<void> {
    await this.#stop();
  }

  /** For the kit: the table gives this process up, as after a pause longer than its lease. */
  expire(): void {
    this.#table.expire(this.#session.holder);
  }

  async #stop(): Promise<void> {
    clearInterval(this.#beat);
    this.#beat = undefined;
    this.#table.listeners.delete(this.#wake);
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop()));
    this.#consumers.clear();
  }

  /** Under a new name: what the old one held can never be mistaken for what this one holds. */
  #enter(): void {
    this.#session = new Session();
    this.#table.enter(this.#session.holder, this.#leaseMs);
  }

  #renew(): void {
    if (this.#table.renew(this.#session.holder, this.#leaseMs)) return;
    this.#session.over.abort();
    this.#enter();
  }

  #assertOpen(): void {
    if (!this.connected)
      throw new BrokerError("Q1010", "the broker is not open", { hint: "await broker.open() first" });
  }
}

/** The name under which a process holds messages, and the end of its holding. */
class Session {
  readonly holder: string = randomUUID();
  readonly over: AbortController = new AbortController();
}

/** A row in this process's hands. */
function deliveryOf(table: Table, row: Row, { holder, over }: Session): Delivery {
  const { message, crashes, fence } = row;
  const change = async (changes: Partial<Row> | "delete"): Promise<Settled> =>
    table.change(row, { holder, fence }, changes);
  return {
    message,
    crashes,
    fence,
    lost: over.signal,
    start: () => change({ started: true }),
    settle(outcome) {
      switch (outcome.kind) {
        case "ack":
          return change("delete");
        case "release":
          return change({ holder: null });
        case "bury":
          return change({ holder: null, dead: outcome.reason });
        case "requeue": {
          const { delayMs, headers } = outcome;
          const changed = headers === undefined || "malformed" in message ? message : { ...message, headers };
          const atTail = { readyAt: Date.now() + delayMs, place: table.next() };
          return change({ ...atTail, holder: null, crashes: 0, message: changed });
        }
      }
    },
  };
}
