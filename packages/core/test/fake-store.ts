import type { Delivery, Outcome } from "../src/broker/delivery.ts";
import { PollingConsumer, type Claim } from "../src/broker/polling-consumer.ts";
import { silentLogger, type Logger } from "../src/logger.ts";
import { FakeClock } from "../src/testing/fake-clock.ts";

/** Milliseconds. */
export const safetyPollMs = 5000;

/** A store with a queue of labels, which answers at once unless it is held. */
export class FakeStore {
  readonly ready: string[];
  /** The `max` of each fetch, and when it was. */
  readonly fetches: { readonly max: number; readonly at: number }[] = [];
  /** What was settled, in order. */
  readonly settled: string[] = [];
  readonly handed: Delivery[] = [];
  readonly clock: FakeClock = new FakeClock();
  nextDueMs: number | undefined;
  /** Thrown by the next fetches, one each. */
  readonly errors: Error[] = [];
  readonly warnings: string[] = [];
  /** A fetch ends only when this has. */
  gate: Promise<void> = Promise.resolve();
  underWay = 0;
  mostUnderWay = 0;

  constructor(count = 0) {
    this.ready = Array.from({ length: count }, (_, index) => `m${index + 1}`);
  }

  consume(prefetch: number, pollMs: number = safetyPollMs): PollingConsumer {
    const logger: Logger = { ...silentLogger, warn: (_fields, text) => void this.warnings.push(text) };
    const { clock } = this;
    const claim = (max: number): Promise<Claim> => this.#claim(max);
    return new PollingConsumer({ prefetch, claim, safetyPollMs: pollMs, logger, clock }, (delivery) => {
      this.handed.push(delivery);
    });
  }

  get labels(): string[] {
    return this.handed.map(labelOf);
  }

  async ack(count: number): Promise<void> {
    await Promise.all(this.handed.splice(0, count).map((delivery) => delivery.settle({ kind: "ack" })));
  }

  async #claim(max: number): Promise<Claim> {
    this.fetches.push({ max, at: this.clock.monotonic() });
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const taken = this.ready.splice(0, max);
    await this.gate;
    this.underWay -= 1;
    const error = this.errors.shift();
    if (error !== undefined) throw error;
    return { deliveries: taken.map((label) => this.delivery(label)), nextDueMs: this.nextDueMs };
  }

  delivery(label: string): Delivery {
    return {
      message: { queue: "default", raw: Buffer.from(label), malformed: "not of interest" },
      crashes: 0,
      lost: new AbortController().signal,
      start: async () => "settled",
      settle: async (outcome: Outcome) => {
        this.settled.push(`${outcome.kind} ${label}`);
        return "settled";
      },
    };
  }
}

function labelOf({ message }: Delivery): string {
  return "raw" in message ? Buffer.from(message.raw).toString() : "";
}

/** Lets everything happen that takes no time. */
export function settle(store: FakeStore): Promise<void> {
  return store.clock.advance(0);
}

/** The way to open a gate, which is closed from now on. */
export function closeGate(store: FakeStore): () => void {
  let open = (): void => undefined;
  store.gate = new Promise((resolve) => {
    open = resolve;
  });
  return open;
}
