import type {
  Broker,
  Consumer,
  ControlBus,
  Delivery,
  Lease,
  LeaseStore,
  MessageProperties,
  Outcome,
  OutgoingMessage,
  QueueInspector,
  ScheduleStore,
} from "@q/core/broker";
import { MemoryStore, memoryBroker, type MemoryBroker } from "@q/core/testing";
import type { Harness, HarnessWorld } from "../../src/index.ts";

/** One broken promise. */
export interface Fault {
  /** What the broker does wrong. */
  readonly name: string;
  /** The checks that must fail on it, by name. Others may fail as well. */
  readonly caughtBy: readonly string[];
  /** What is different in each broker of a world. */
  readonly broker?: (healthy: MemoryBroker, site: Site) => Partial<Broker>;
  /** What happens instead of a crash, an expiry, an interruption. */
  readonly crash?: (healthy: MemoryBroker, site: Site) => void | Promise<void>;
  readonly expire?: (healthy: MemoryBroker, site: Site) => void;
  readonly interrupt?: (healthy: MemoryBroker, site: Site) => () => void;
}

/** What the brokers of one world share, and faults conspire over. */
export class Site {
  readonly store: MemoryStore = new MemoryStore({ recoveryMs: 30, crashDelayMs: 30 });
  readonly brokers: MemoryBroker[] = [];
  /** Last known holder of each message, by id. */
  readonly current: Map<string, Delivery> = new Map();
  /** What each broker was handed and has not settled, oldest first. */
  readonly held: Map<MemoryBroker, Set<Delivery>> = new Map();
  /** For a fault to remember things in. */
  readonly notes: Map<string, unknown> = new Map();
  readonly #endings: (() => void)[] = [];

  heldBy(broker: MemoryBroker): Delivery[] {
    return [...(this.held.get(broker) ?? [])];
  }

  /** Calls `callback` later, unless the world has ended. */
  later(ms: number, callback: () => unknown): void {
    const timer = setTimeout(callback, ms);
    this.#endings.push(() => clearTimeout(timer));
  }

  async end(): Promise<void> {
    for (const ending of this.#endings) ending();
    await Promise.all(
      this.brokers.map((broker) => {
        broker.reconnect();
        return broker.close();
      }),
    );
  }
}

/** A harness whose brokers break one promise, with short waits. Without a fault they are healthy behind the same wrapping. */
export function faultyHarness(fault?: Fault): Harness {
  const sites = new WeakMap<HarnessWorld, Site>();
  const origins = new WeakMap<Broker, { healthy: MemoryBroker; site: Site }>();
  const siteOf = (world: HarnessWorld): Site => {
    const site = sites.get(world) ?? new Site();
    sites.set(world, site);
    return site;
  };
  const originOf = (broker: Broker): { healthy: MemoryBroker; site: Site } => {
    const origin = origins.get(broker);
    if (origin === undefined) throw new TypeError("not a broker of this harness");
    return origin;
  };
  return {
    create(world) {
      const site = siteOf(world);
      const healthy = memoryBroker({ store: site.store });
      site.brokers.push(healthy);
      const broker = brokerWith(healthy, { consume: consumeWith(healthy, site), ...fault?.broker?.(healthy, site) });
      origins.set(broker, { healthy, site });
      return broker;
    },
    async crash(broker) {
      const { healthy, site } = originOf(broker);
      await (fault?.crash === undefined ? healthy.crash() : fault.crash(healthy, site));
    },
    expire(broker) {
      const { healthy, site } = originOf(broker);
      if (fault?.expire === undefined) healthy.expire();
      else fault.expire(healthy, site);
    },
    expireUnnoticed: (broker) => originOf(broker).healthy.expireUnnoticed(),
    async interrupt(broker) {
      const { healthy, site } = originOf(broker);
      if (fault?.interrupt !== undefined) return fault.interrupt(healthy, site);
      healthy.disconnect();
      return () => healthy.reconnect();
    },
    inject: (world, queue, raw) => siteOf(world).store.inject(queue, raw),
    cleanUp: (world) => siteOf(world).end(),
    // What is healthy is given time, so that a busy machine does not fail it. A fault is waited for in vain, so that wait is short.
    ...(fault === undefined
      ? { latenessMs: 1000, recoveryMs: 1000, patienceMs: 5000 }
      : { latenessMs: 200, recoveryMs: 200, patienceMs: 500 }),
    crashDelayMs: 100,
    // A busy machine must neither keep a lease from being renewed nor hide that a key is free too soon.
    ttlMs: 1600,
    quietMs: 80,
  };
}

/** The healthy broker with some parts replaced. */
export function brokerWith(healthy: MemoryBroker, changes: Partial<Broker>): Broker {
  return {
    name: healthy.name,
    address: healthy.address,
    get connected() {
      return changes.connected ?? healthy.connected;
    },
    open: changes.open ?? ((context) => healthy.open(context)),
    declare: changes.declare ?? ((queues) => healthy.declare(queues)),
    publish: changes.publish ?? ((messages) => healthy.publish(messages)),
    consume: changes.consume ?? ((queues, options, onDelivery) => healthy.consume(queues, options, onDelivery)),
    close: changes.close ?? (() => healthy.close()),
    once: changes.once ?? healthy.once,
    inspector: changes.inspector ?? healthy.inspector,
    control: changes.control ?? healthy.control,
    leases: changes.leases ?? healthy.leases,
    schedules: changes.schedules ?? healthy.schedules,
  };
}

/** Consumes with other deliveries, consumers or conditions. */
export function consumeWith(
  healthy: MemoryBroker,
  site: Site,
  changes: {
    readonly delivery?: (delivery: Delivery) => Partial<Delivery> | undefined;
    readonly consumer?: (consumer: Consumer) => Partial<Consumer>;
    readonly queues?: (queues: readonly string[]) => readonly string[];
    readonly prefetch?: (prefetch: number) => number;
    /** Hands it out, or does something else with it. */
    readonly handOut?: (delivery: Delivery, onDelivery: (delivery: Delivery) => void) => void;
  } = {},
): Broker["consume"] {
  return async (queues, options, onDelivery) => {
    const consumer = await healthy.consume(
      changes.queues?.(queues) ?? queues,
      { prefetch: changes.prefetch?.(options.prefetch) ?? options.prefetch },
      (plain) => {
        const delivery = deliveryWith(remembered(plain, healthy, site), changes.delivery?.(plain) ?? {});
        if (changes.handOut === undefined) onDelivery(delivery);
        else changes.handOut(delivery, onDelivery);
      },
    );
    const changed = changes.consumer?.(consumer) ?? {};
    return {
      get heardAt() {
        return changed.heardAt ?? consumer.heardAt;
      },
      resize: changed.resize ?? ((prefetch) => consumer.resize(prefetch)),
      stop: changed.stop ?? (() => consumer.stop()),
    };
  };
}

/** Shorthand: a fault in the deliveries. */
export function deliveries(
  change: (delivery: Delivery, healthy: MemoryBroker, site: Site) => Partial<Delivery>,
): NonNullable<Fault["broker"]> {
  return (healthy, site) => ({
    consume: consumeWith(healthy, site, { delivery: (delivery) => change(delivery, healthy, site) }),
  });
}

/** Shorthand: a fault in settling. `undefined` settles as it should be. */
export function settling(
  change: (
    outcome: Outcome,
    delivery: Delivery,
    healthy: MemoryBroker,
    site: Site,
  ) => ReturnType<Delivery["settle"]> | undefined,
): NonNullable<Fault["broker"]> {
  return deliveries((delivery, healthy, site) => ({
    settle: (outcome) => change(outcome, delivery, healthy, site) ?? delivery.settle(outcome),
  }));
}

/** Shorthand: a fault in what is published, also once. */
export function publishing(
  change: (message: OutgoingMessage, site: Site) => OutgoingMessage,
): NonNullable<Fault["broker"]> {
  return (healthy, site) => ({
    publish: (messages) => healthy.publish(messages.map((message) => change(message, site))),
    once: { publishOnce: (message, key, ttlMs) => healthy.once.publishOnce(change(message, site), key, ttlMs) },
  });
}

/** Shorthand: a fault in what an operator sees and does. */
export function inspecting(
  change: (inspector: MemoryBroker["inspector"], healthy: MemoryBroker, site: Site) => Partial<QueueInspector>,
): NonNullable<Fault["broker"]> {
  return (healthy, site) => {
    const { inspector } = healthy;
    const whole: QueueInspector = {
      queues: () => inspector.queues(),
      stats: (queue) => inspector.stats(queue),
      peek: (queue, state, options) => inspector.peek(queue, state, options),
      purge: (queue) => inspector.purge(queue),
      pause: (queue) => inspector.pause(queue),
      resume: (queue) => inspector.resume(queue),
      deadLetters: (queue, options) => inspector.deadLetters(queue, options),
      redrive: (queue, entries) => inspector.redrive(queue, entries),
      drop: (queue, entryIds) => inspector.drop(queue, entryIds),
    };
    return { inspector: { ...whole, ...change(inspector, healthy, site) } };
  };
}

/** Shorthand: a fault in the control bus. */
export function broadcasting(
  change: (bus: ControlBus, site: Site) => Partial<ControlBus>,
): NonNullable<Fault["broker"]> {
  return ({ control }, site) => ({
    control: {
      broadcast: (channel, payload) => control.broadcast(channel, payload),
      subscribe: (channel, onPayload) => control.subscribe(channel, onPayload),
      ...change(control, site),
    },
  });
}

/** Shorthand: a fault in what is remembered of schedules. */
export function scheduling(
  change: (schedules: ScheduleStore, site: Site) => Partial<ScheduleStore>,
): NonNullable<Fault["broker"]> {
  return ({ schedules }, site) => ({
    schedules: {
      now: () => schedules.now(),
      list: () => schedules.list(),
      begin: (start) => schedules.begin(start),
      fire: (tick) => schedules.fire(tick),
      put: (name, entry) => schedules.put(name, entry),
      remove: (name) => schedules.remove(name),
      setPaused: (name, paused) => schedules.setPaused(name, paused),
      ...change(schedules, site),
    },
  });
}

/** Shorthand: a fault in each lease that is given out. */
export function leasing(
  change: (lease: Lease, site: Site, ttlMs: number) => Partial<Lease>,
): NonNullable<Fault["broker"]> {
  return ({ leases }, site) => ({ leases: leasesWith(leases, (lease, ttlMs) => change(lease, site, ttlMs)) });
}

function leasesWith(leases: LeaseStore, change: (lease: Lease, ttlMs: number) => Partial<Lease>): LeaseStore {
  return {
    async acquire(name, ttlMs) {
      const lease = await leases.acquire(name, ttlMs);
      if (lease === null) return null;
      return { name, fence: lease.fence, lost: lease.lost, release: () => lease.release(), ...change(lease, ttlMs) };
    },
  };
}

export function deliveryWith(delivery: Delivery, changes: Partial<Delivery>): Delivery {
  return {
    message: changes.message ?? delivery.message,
    crashes: changes.crashes ?? delivery.crashes,
    fence: changes.fence ?? delivery.fence,
    get lost() {
      return changes.lost ?? delivery.lost;
    },
    start: changes.start ?? (() => delivery.start()),
    settle: changes.settle ?? ((outcome) => delivery.settle(outcome)),
  };
}

/** Notes who holds what, for the faults that need to know. */
function remembered(delivery: Delivery, healthy: MemoryBroker, site: Site): Delivery {
  const held = site.held.get(healthy) ?? new Set<Delivery>();
  site.held.set(healthy, held.add(delivery));
  if ("id" in delivery.message) site.current.set(delivery.message.id, delivery);
  return delivery;
}

/** The queue, last message first. */
export function reverse(site: Site, queue: string): void {
  const reversed = site.store.queue(queue);
  const now = site.store.clock.monotonic();
  const messages = [];
  for (let next = reversed.take(now); next !== undefined; next = reversed.take(now)) messages.push(next);
  for (const message of messages) reversed.addFirst(message, now);
  reversed.wake();
}

/** A promise that never ends. */
export function forever<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

/** A note that is made when it is first asked for. */
export function note<T>(site: Site, name: string, first: () => T): T {
  if (!site.notes.has(name)) site.notes.set(name, first());
  // One fault writes its notes alone, under one name always the same kind.
  return site.notes.get(name) as T;
}

export const plainProperties: MessageProperties = { contentType: "application/json", contentEncoding: "utf-8" };
