import { silentLogger, sleep, systemClock, type Delivery } from "@q/core/broker";
import { onTestFinished } from "vitest";
import type { Settings } from "../src/options.ts";
import { RedisBroker } from "../src/redis-broker.ts";
import { ThreadKeeper } from "../src/thread-keeper.ts";
import { labelOf, message } from "./messages.ts";

const leaseThread = new URL("../dist/lease-thread.js", import.meta.url);

/** Between two sends to a queue. Milliseconds. */
const pauseMs = 10;

/** Sends to queues and takes from them without a break, and remembers what was confirmed and what has arrived. */
export class Traffic {
  readonly confirmed: Set<string> = new Set();
  readonly arrived: Set<string> = new Set();
  #sending: readonly Promise<void>[] = [];
  readonly #stopped = new AbortController();

  /** A broker that sends and one that takes. They close when the test ends. */
  static async start(settings: Settings, queues: readonly string[]): Promise<Traffic> {
    const traffic = new Traffic();
    const [producer, worker] = [createBroker(settings), createBroker(settings)];
    onTestFinished(async () => {
      await traffic.stopSending();
      await Promise.all([producer.close(), worker.close()]);
    });
    await Promise.all([producer, worker].map((broker) => broker.open({ logger: silentLogger })));
    await producer.declare(queues.map((name) => ({ name, priorities: false })));
    await worker.consume(queues, { prefetch: 50 }, (delivery) => traffic.#take(delivery));
    traffic.#sending = queues.map((queue) => traffic.#send(producer, queue));
    return traffic;
  }

  /** What was confirmed and has not arrived. */
  get missing(): readonly string[] {
    return [...this.confirmed].filter((label) => !this.arrived.has(label));
  }

  confirmedOf(queue: string): number {
    return [...this.confirmed].filter((label) => label.startsWith(`${queue} `)).length;
  }

  async stopSending(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#sending);
  }

  async #send(producer: RedisBroker, queue: string): Promise<void> {
    for (let number = 1; !this.#stopped.signal.aborted; number += 1) {
      const label = `${queue} ${number}`;
      try {
        await producer.publish([message(label, { queue })]);
        this.confirmed.add(label);
      } catch {
        // Not confirmed: it may arrive or not.
      }
      await sleep(systemClock, pauseMs, this.#stopped.signal);
    }
  }

  #take(delivery: Delivery): void {
    this.arrived.add(labelOf(delivery));
    delivery.settle({ kind: "ack" }).catch(() => {
      // Then it comes again.
    });
  }
}

/** As a user has it, with its leases in a thread. */
function createBroker(settings: Settings): RedisBroker {
  return new RedisBroker(settings, {
    startKeeper: (forBroker, logger) => new ThreadKeeper(forBroker, logger, leaseThread),
  });
}
