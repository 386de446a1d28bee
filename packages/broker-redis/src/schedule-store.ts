import {
  hasCode,
  readStoredEntry,
  type JsonObject,
  type ScheduleStore,
  type StoredSchedule,
  type Tick,
  type TickAnswer,
} from "@q/core/broker";
import { schedulesKey } from "./keys.ts";
import { readyToPush } from "./ready-to-push.ts";
import { fireTick } from "./scripts/tick.ts";
import type { Store } from "./store.ts";
import { publishError, untilAnswered } from "./until-answered.ts";

/**
 * The last tick of a schedule stands beside the queue that it sends to, in one slot with it, so that a tick and its message are one script. Entries
 * and pauses stand in one hash for all: `fire` looks there first, which is early enough for a pause or a removal that came before it.
 */
export class RedisScheduleStore implements ScheduleStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async now(): Promise<number> {
    const { connection } = await this.#ready();
    const [seconds, micros] = (await connection.call("time")) as [string, string]; // what TIME answers
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  async list(): Promise<readonly StoredSchedule[]> {
    const { connection } = await this.#ready();
    const [fields, ticks] = await Promise.all([connection.call("hgetall", this.#key), this.#allTicks()]);
    const found = new Map<string, StoredSchedule>();
    const add = (name: string, facts: Partial<StoredSchedule>): void => {
      const known = found.get(name) ?? { name, lastTick: null, paused: false, entry: null };
      found.set(name, { ...known, ...facts });
    };
    for (const [name, lastTick] of ticks) add(name, { lastTick });
    for (const [field, text] of pairsOf(fields)) {
      if (field.startsWith("paused:")) add(field.slice("paused:".length), { paused: true });
      else if (field.startsWith("entry:")) add(field.slice("entry:".length), { entry: readStoredEntry(text) });
    }
    return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async begin({ name, at, queue }: Pick<Tick, "name" | "at" | "queue">): Promise<void> {
    const { connection, queues } = await this.#ready();
    const { ticks } = queues.keysOf(queue);
    if ((await connection.call("hexists", ticks, name)) === 1) return;
    const elsewhere = (await this.#allTicks()).get(name);
    await connection.call("hsetnx", ticks, name, elsewhere ?? at);
  }

  async fire({ name, at, queue, message, isStored }: Tick): Promise<TickAnswer> {
    const { publishing, queues, settings } = this.#store;
    const keys = queues.keysOf(queue);
    const push = message === null ? undefined : readyToPush(this.#store, message);
    const tick = { name, at, push, replicas: settings.replicas };
    try {
      return await untilAnswered(this.#store, async () => {
        const fields = [`paused:${name}`, `entry:${name}`];
        const [paused, entry] = (await publishing.call("hmget", this.#key, ...fields)) as (string | null)[]; // what HMGET answers
        if (isStored && entry === null) return "gone";
        if (paused !== null) return "paused";
        const answer = await fireTick(publishing, keys, { ...tick, elsewhere: undefined });
        if (answer !== "unknown") return answer;
        const elsewhere = (await this.#allTicks()).get(name) ?? 0;
        const second = await fireTick(publishing, keys, { ...tick, elsewhere });
        // With a last tick in hand the script knows.
        return second === "unknown" ? "already" : second;
      });
    } catch (error) {
      throw publishError(error);
    }
  }

  async put(name: string, entry: JsonObject): Promise<void> {
    const { connection } = await this.#ready();
    await connection.call("hset", this.#key, `entry:${name}`, JSON.stringify(entry));
  }

  async remove(name: string): Promise<boolean> {
    const { connection, queues } = await this.#ready();
    // The entry first: from then on it is not fired, and its ticks can go.
    const gone = [await connection.call("hdel", this.#key, `entry:${name}`, `paused:${name}`)];
    for (const queue of await queues.registered(connection)) {
      const { ticks } = queues.keysOf(queue);
      if ((await this.#unlessForbidden(connection.call("hexists", ticks, name))) === 1)
        gone.push(await connection.call("hdel", ticks, name));
    }
    return gone.some((count) => count !== 0);
  }

  async setPaused(name: string, paused: boolean): Promise<void> {
    const { connection } = await this.#ready();
    if (paused) await connection.call("hset", this.#key, `paused:${name}`, 1);
    else await connection.call("hdel", this.#key, `paused:${name}`);
  }

  get #key(): string {
    return schedulesKey(this.#store.settings.prefix);
  }

  /** The last tick of every schedule, whichever queues it has sent to. */
  async #allTicks(): Promise<ReadonlyMap<string, number>> {
    const { connection, queues } = this.#store;
    const names = await queues.registered(connection);
    const answers = await Promise.all(
      names.map((queue) => this.#unlessForbidden(connection.call("hgetall", queues.keysOf(queue).ticks))),
    );
    const latest = new Map<string, number>();
    for (const [name, text] of answers.flatMap(pairsOf)) {
      const at = Number(text);
      if (Number.isSafeInteger(at)) latest.set(name, Math.max(at, latest.get(name) ?? 0));
    }
    return latest;
  }

  /** Other apps' queues are in the registry too, and this user may have no right to them: their schedules are not ours. */
  async #unlessForbidden(answer: Promise<unknown>): Promise<unknown> {
    try {
      return await answer;
    } catch (error) {
      if (hasCode(error, "Q1018")) return undefined;
      throw error;
    }
  }

  /** A connection that was just cut off is soon there again. */
  async #ready(): Promise<Store> {
    await this.#store.connection.ready(this.#store.clock.monotonic() + this.#store.settings.timeoutMs);
    return this.#store;
  }
}

/** What ioredis makes of the answer to HGETALL: an object; nothing where there was no answer. */
function pairsOf(answer: unknown): readonly (readonly [string, string])[] {
  return Object.entries((answer ?? {}) as Readonly<Record<string, string>>); // as above
}
