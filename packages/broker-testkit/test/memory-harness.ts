import { MemoryBroker, MemoryStore, memoryBroker } from "@q/core/testing";
import type { Broker } from "@q/core/broker";
import type { Harness, HarnessWorld } from "../src/harness.ts";

/** The reference: one memory store for each world. */
export function memoryHarness(): Harness {
  const stores = new WeakMap<HarnessWorld, MemoryStore>();
  const storeOf = (world: HarnessWorld): MemoryStore => {
    const store = stores.get(world) ?? new MemoryStore({ recoveryMs: 50, crashDelayMs: 50 });
    stores.set(world, store);
    return store;
  };
  return {
    create: (world) => memoryBroker({ store: storeOf(world) }),
    crash: (broker) => memory(broker).crash(),
    async interrupt(broker) {
      memory(broker).disconnect();
      return () => memory(broker).reconnect();
    },
    expire: (broker) => memory(broker).expire(),
    expireUnnoticed: (broker) => memory(broker).expireUnnoticed(),
    inject: (world, queue, raw) => storeOf(world).inject(queue, raw),
    latenessMs: 500,
    recoveryMs: 500,
    crashDelayMs: 250,
    ttlMs: 1000,
    quietMs: 250,
  };
}

function memory(broker: Broker): MemoryBroker {
  if (broker instanceof MemoryBroker) return broker;
  throw new TypeError("expected a memory broker");
}
