import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  silentLogger,
  type Broker,
  type ControlBus,
  type LeaseStore,
  type OncePublisher,
  type OutgoingMessage,
  type QueueInspector,
  type ScheduleStore,
} from "@q/core/broker";
import type { Harness, HarnessWorld } from "./harness.ts";
import { Inbox } from "./inbox.ts";
import { letPass, within } from "./wait.ts";

/** The brokers and queues of one check. */
export class World implements HarnessWorld {
  readonly id: string = randomUUID().replaceAll("-", "").slice(0, 12);
  /** Most milliseconds by which a message may come late. */
  readonly latenessMs: number;
  /** Most milliseconds from a crash to the return of what was held. */
  readonly recoveryMs: number;
  /** As `recoveryMs`, after a second crash of the same message. */
  readonly secondRecoveryMs: number;
  /** Milliseconds for leases and keys. */
  readonly ttlMs: number;
  /** Longest wait for what must happen at once. */
  readonly soonMs: number;
  /** How long to wait to see that something does not happen. */
  readonly quietMs: number;
  readonly #harness: Harness;
  /** Opened, and not dead. */
  readonly #brokers: Set<Broker> = new Set();
  readonly #restores: Set<() => Promise<void>> = new Set();

  constructor(harness: Harness) {
    this.#harness = harness;
    const patienceMs = harness.patienceMs ?? 10_000;
    this.latenessMs = harness.latenessMs;
    this.recoveryMs = harness.recoveryMs;
    this.secondRecoveryMs = harness.recoveryMs + (harness.crashDelayMs ?? 0);
    this.ttlMs = harness.ttlMs ?? 2000;
    this.soonMs = harness.latenessMs + patienceMs;
    this.quietMs = harness.quietMs ?? Math.max(100, 2 * harness.latenessMs);
  }

  /** The queue of this check. */
  get queue(): string {
    return this.queueNamed("main");
  }

  /** A further queue of this check. */
  queueNamed(label: string): string {
    return `kit-${this.id}-${label}`;
  }

  /** A schedule of this check. */
  scheduleNamed(label: string): string {
    return `kit-${this.id}-${label}`;
  }

  /** A broker that has not been opened. */
  async create(): Promise<Broker> {
    return this.#harness.create(this);
  }

  /** An open broker, with the queue declared. */
  async broker(options: { readonly priorities?: boolean } = {}): Promise<Broker> {
    const broker = await this.create();
    await this.open(broker);
    await broker.declare([{ name: this.queue, priorities: options.priorities ?? false }]);
    return broker;
  }

  async open(broker: Broker): Promise<void> {
    this.#brokers.add(broker);
    await within(broker.open({ logger: silentLogger }), this.soonMs, "open() resolves");
  }

  /** Consumes the check's queue, or others, into an inbox. Default prefetch 100. */
  async consume(
    broker: Broker,
    options: { readonly queues?: readonly string[]; readonly prefetch?: number } = {},
  ): Promise<Inbox> {
    const inbox = new Inbox({ withinMs: this.soonMs, quietMs: this.quietMs });
    const consumer = await broker.consume(
      options.queues ?? [this.queue],
      { prefetch: options.prefetch ?? 100 },
      inbox.add,
    );
    inbox.attach(consumer);
    return inbox;
  }

  /** A message for the check's queue with `label` as its body. */
  message(label: string, changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
    return {
      id: randomUUID(),
      queue: this.queue,
      priority: 0,
      headers: { id: label, task: "kit.check" },
      properties: { contentType: "application/json", contentEncoding: "utf-8" },
      body: Buffer.from(label),
      ...changes,
    };
  }

  /** Messages labelled `1` to `count`. */
  messages(count: number, changes: Partial<OutgoingMessage> = {}): OutgoingMessage[] {
    return Array.from({ length: count }, (_, index) => this.message(String(index + 1), changes));
  }

  async crash(broker: Broker): Promise<void> {
    assert.ok(this.#harness.crash !== undefined);
    this.#brokers.delete(broker);
    await this.#harness.crash(broker);
  }

  /** Cuts the broker off; answers the way back. */
  async interrupt(broker: Broker): Promise<() => Promise<void>> {
    assert.ok(this.#harness.interrupt !== undefined);
    const mend = await this.#harness.interrupt(broker);
    const restore = async (): Promise<void> => {
      if (this.#restores.delete(restore)) await mend();
    };
    this.#restores.add(restore);
    return restore;
  }

  async expire(broker: Broker): Promise<void> {
    assert.ok(this.#harness.expire !== undefined);
    await this.#harness.expire(broker);
  }

  async expireUnnoticed(broker: Broker): Promise<void> {
    assert.ok(this.#harness.expireUnnoticed !== undefined);
    await this.#harness.expireUnnoticed(broker);
  }

  async inject(raw: Uint8Array): Promise<void> {
    assert.ok(this.#harness.inject !== undefined);
    await this.#harness.inject(this, this.queue, raw);
  }

  /** Lets time pass. Only to see that something does not happen, or to reach a moment that the broker promised. */
  async pause(ms: number = this.quietMs): Promise<void> {
    await letPass(ms);
  }

  /** Closes every broker, mends every cut, removes the traces. */
  async cleanUp(): Promise<void> {
    for (const restore of this.#restores) await restore();
    await Promise.all([...this.#brokers].map((broker) => broker.close()));
    await this.#harness.cleanUp?.(this);
  }
}

/** The part of a broker that the check asked for in `needs`. */
export function inspectorOf(broker: Broker): QueueInspector {
  assert.ok(broker.inspector !== undefined);
  return broker.inspector;
}

export function onceOf(broker: Broker): OncePublisher {
  assert.ok(broker.once !== undefined);
  return broker.once;
}

export function controlOf(broker: Broker): ControlBus {
  assert.ok(broker.control !== undefined);
  return broker.control;
}

export function leasesOf(broker: Broker): LeaseStore {
  assert.ok(broker.leases !== undefined);
  return broker.leases;
}

export function schedulesOf(broker: Broker): ScheduleStore {
  assert.ok(broker.schedules !== undefined);
  return broker.schedules;
}
