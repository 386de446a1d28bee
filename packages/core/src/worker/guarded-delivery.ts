import type { Delivery, Outcome, Settled } from "../broker/delivery.ts";
import type { Lease } from "../broker/lease-store.ts";
import { begunHeader } from "../celery-headers.ts";

/** A delivery whose run keeps other runs of its schedule from beginning, by a lease that ends when it is settled. */
export class GuardedDelivery implements Delivery {
  readonly #delivery: Delivery;
  readonly #lease: Lease;
  readonly #runsOn: () => boolean;

  /** @param runsOn whether its code still runs though it is settled: then the lease stays */
  constructor(delivery: Delivery, lease: Lease, runsOn: () => boolean) {
    this.#delivery = delivery;
    this.#lease = lease;
    this.#runsOn = runsOn;
  }

  get message(): Delivery["message"] {
    return this.#delivery.message;
  }

  get crashes(): number {
    return this.#delivery.crashes;
  }

  get fence(): number | undefined {
    return this.#delivery.fence;
  }

  get lost(): AbortSignal {
    return this.#delivery.lost;
  }

  start(): Promise<Settled> {
    return this.#delivery.start();
  }

  async settle(outcome: Outcome): Promise<Settled> {
    // Before: a message that is put back must not find its own run under way.
    if (!this.#runsOn()) await this.#lease.release();
    return await this.#delivery.settle(outcome.kind === "release" ? this.#again() : outcome);
  }

  /** It has begun: another tick, which may begin now that the lease is free, is no reason to skip it. */
  #again(): Outcome {
    const { message } = this.#delivery;
    const headers = "malformed" in message ? {} : message.headers;
    return { kind: "requeue", delayMs: 0, headers: { ...headers, [begunHeader]: true } };
  }
}
