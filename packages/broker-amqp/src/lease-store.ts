import type { GetMessage } from "amqplib";
import type { Lease, LeaseStore } from "@q/core/broker";
import { amqpError } from "./amqp-error.ts";
import type { Lock } from "./locks.ts";
import { fenceQueue } from "./names.ts";
import type { Store } from "./store.ts";

/**
 * Leases as locks of the server, which last as long as the connection that holds them. Nobody renews anything: the time to live is the heartbeat's, and a
 * process that dies loses its lease with its socket. The fence number is a message, replaced by each holder.
 */
export class AmqpLeaseStore implements LeaseStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async acquire(name: string, _ttlMs: number): Promise<Lease | null> {
    const lock = await this.#store.locks.acquire(`lease.${name}`);
    if (lock === null) return null;
    try {
      return leaseOf(name, await this.#nextFence(name), lock);
    } catch (error) {
      await lock.release();
      throw amqpError(error, this.#store.settings.address);
    }
  }

  async #nextFence(name: string): Promise<number> {
    const { reading, outbox, topology, settings } = this.#store;
    const link = await (await reading()).ready();
    const queue = fenceQueue(name);
    await topology.declareSide(link, queue, settings.queueType);
    return await link.scratch(async (channel) => {
      const next = (await highest(() => link.call(channel.get(queue)))) + 1;
      const failures = await outbox.send([
        {
          queue,
          exchange: "",
          routingKey: queue,
          content: Buffer.from(String(next)),
          options: { persistent: true, mandatory: true },
        },
      ]);
      const failure = failures.get(0);
      if (failure !== undefined) throw failure;
      channel.ackAll();
      return next;
    });
  }
}

/** Two of them are there when a holder died between storing its number and forgetting the one before. */
async function highest(get: () => Promise<GetMessage | false>): Promise<number> {
  let highestYet = 0;
  for (;;) {
    const found = await get();
    if (found === false) return highestYet;
    const fence = Number(found.content.toString());
    if (Number.isSafeInteger(fence)) highestYet = Math.max(highestYet, fence);
  }
}

function leaseOf(name: string, fence: number, lock: Lock): Lease {
  return { name, fence, lost: lock.lost, release: () => lock.release() };
}
