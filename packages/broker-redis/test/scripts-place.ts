import { randomUUID } from "node:crypto";
import { silentLogger, systemClock } from "@q/core/broker";
import type { RedisServer } from "@q/test-servers";
import { onTestFinished } from "vitest";
import { Connection } from "../src/connection.ts";
import { queueKeys, type QueueKeys } from "../src/keys.ts";
import { claim, type Held } from "../src/scripts/claim.ts";
import { enter } from "../src/scripts/enter.ts";
import { publish, type Push } from "../src/scripts/publish.ts";
import { renew, type Renewal } from "../src/scripts/renew.ts";
import { settle, type Ending, type Retention, type SettleAnswer, type SettleBatch } from "../src/scripts/settle.ts";
import { testSettings } from "./redis-harness.ts";

export const leaseMs = 60_000;
export const retention: Retention = { maxAgeMs: 86_400_000, maxCount: 1000 };
export const reason = { code: "failed", message: "gab auf: 日本 🪦" };

/** A queue on which the scripts are run one by one. */
export class Place {
  readonly connection: Connection;
  readonly keys: QueueKeys;
  #sequence = 0;

  private constructor(connection: Connection, keys: QueueKeys) {
    this.connection = connection;
    this.keys = keys;
  }

  /** Until the end of the test. */
  static async open(server: RedisServer, queue: string = randomUUID()): Promise<Place> {
    const settings = testSettings(server.url, "");
    const connection = await Connection.open({ settings, clock: systemClock, logger: silentLogger });
    onTestFinished(() => connection.close());
    return new Place(connection, queueKeys(queue, ""));
  }

  async publish(...batch: readonly Push[]): Promise<void> {
    this.#sequence += 1;
    await publish(this.connection, this.keys, {
      producer: "p",
      sequence: this.#sequence,
      pushes: batch,
      replicas: 0,
    });
  }

  async enter(id: string): Promise<void> {
    await enter(this.connection, this.keys, { id, leaseMs });
  }

  /** What a consumer with a lease is given. */
  async claim(id: string, most: number, lists = 4): Promise<readonly Held[]> {
    const claimed = await claim(this.connection, this.keys, { id, most, lists, lastFence: 0 });
    if (claimed === undefined) throw new Error(`expected ${id} to have a lease`);
    return claimed.held;
  }

  settle(
    consumerId: string,
    endings: readonly Ending[],
    acks: SettleBatch["acks"] = [],
  ): Promise<SettleAnswer | undefined> {
    return settle(this.connection, this.keys, { consumerId, acks, endings, retention });
  }

  /** A beat of `id`, that knows of some who are dead. */
  renew(id: string, ...knownDead: readonly string[]): Promise<Renewal> {
    const rhythm = { leaseMs, silenceMs: leaseMs / 2, crashDelayMs: 1000 };
    return renew(this.connection, this.keys, { ...rhythm, id, knownDead });
  }

  /** The texts of a list, the next one first. */
  async ready(list = 0): Promise<string[]> {
    const elements = await this.connection.call("lrange", this.keys.lists[list] ?? "", 0, -1);
    return (elements as string[]).toReversed(); // what LRANGE answers
  }

  /** Server time. */
  async now(): Promise<number> {
    const [seconds, microseconds] = (await this.connection.call("time")) as [string, string]; // what TIME answers
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  /** Every key of the queue with its content, byte by byte. */
  async dump(): Promise<Map<string, string>> {
    const found = (await this.connection.call("keys", `*${this.keys.queue}*`)) as string[]; // what KEYS answers
    const contents = new Map<string, string>();
    for (const key of found.toSorted())
      contents.set(key, ((await this.connection.callBuffer("dump", key)) as Buffer).toString("hex")); // what DUMP answers
    return contents;
  }
}

/** Messages `1` to `count`. */
export function pushes(count: number, changes: Partial<Push> = {}): Push[] {
  return Array.from({ length: count }, (_, index) => ({ text: String(index + 1), list: 0, delayMs: 0, ...changes }));
}

/** The texts of so many. */
export function texts(count: number): string[] {
  return pushes(count).map(({ text }) => text);
}
