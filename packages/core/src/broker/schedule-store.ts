import { isJsonObject, maxJsonDepth, tryParseJson, type JsonObject } from "../json.ts";
import type { BrokerMessage } from "./broker-message.ts";

/**
 * How far a tick may be ahead of the broker's clock, in milliseconds: what asking for the time may be wrong by. A process whose clock runs
 * further ahead would send too early, and keep the others from sending in time.
 */
export const tickToleranceMs = 500;

/** The header with the tick that a message is, epoch milliseconds: whoever runs it asks first whether it `counts`. */
export const tickHeader = "q_tick";

/** What a broker remembers of one schedule. */
export interface StoredSchedule {
  readonly name: string;
  /** The last tick that was recorded, or where it began. Epoch milliseconds; `null` when there is neither yet. */
  readonly lastTick: number | null;
  readonly paused: boolean;
  /** What `put` stored: an entry that was made at run time. `null` for one that stands in the app, or stood there. */
  readonly entry: JsonObject | null;
}

/** One planned time of one schedule. */
export interface Tick {
  /** The schedule, 1 to 128 bytes. With `at` it names the tick. */
  readonly name: string;
  /** Planned for, epoch milliseconds, a whole number. */
  readonly at: number;
  /** Where the schedule sends: the message's queue. */
  readonly queue: string;
  /** `null` records the tick only: it is not to be sent. */
  readonly message: BrokerMessage | null;
  /** Whether the schedule is one that `put` stored, and is not to be fired when it was removed. */
  readonly isStored: boolean;
}

/**
 * - `fired`: recorded, and its message stored.
 * - `already`: this tick or a later one was recorded before.
 * - `paused`: the schedule is paused.
 * - `gone`: it was to be a stored one, and is not there any more.
 * - `early`: it is ahead of the broker's clock by more than `tickToleranceMs`.
 * - `standby`: another process leads here, and sends the ticks. Only a broker without one atomic step says so.
 *
 * All but the first changed nothing.
 */
export type TickAnswer = "fired" | "already" | "paused" | "gone" | "early" | "standby";

/**
 * The state of schedules, so that any number of processes may send their ticks, and each tick is sent once. A broker knows neither expressions
 * nor time zones: it compares times.
 */
export interface ScheduleStore {
  /** The broker's own clock, epoch milliseconds; `null` when it tells none. */
  now(): Promise<number | null>;
  /** Every schedule that this broker remembers, in order of name. */
  list(): Promise<readonly StoredSchedule[]>;
  /** Records that a schedule begins at `at`, and hence has nothing to make up for, unless something is recorded of it. */
  begin(start: Pick<Tick, "name" | "at" | "queue">): Promise<void>;
  /**
   * Records the tick and stores its message, in one atomic step. A schedule that sends to another queue than before goes on where it was.
   * @throws PublishRejected or PublishUnknown as `Broker.publish`; firing the tick again is then safe
   */
  fire(tick: Tick): Promise<TickAnswer>;
  /** Stores an entry, over an earlier one. The last tick stays. */
  put(name: string, entry: JsonObject): Promise<void>;
  /** Forgets all about a schedule; answers whether there was anything. */
  remove(name: string): Promise<boolean>;
  /** In force for every `fire` that begins afterwards, in any process. */
  setPaused(name: string, paused: boolean): Promise<void>;
  /**
   * Whether a message is the one of its tick that counts: when a tick was sent twice, `true` for all deliveries of one of the two messages, and `false`
   * for the other. `true` also where nothing is known of the tick. Asked only of messages with a `tickHeader`. Absent on a broker that sends no tick twice.
   */
  counts?(tick: Pick<Tick, "name" | "at">, message: BrokerMessage): Promise<boolean>;
}

/** A call's own levels, and what is around it. */
const deepestEntry = maxJsonDepth + 8;

/** The entry of a schedule from the text that an adapter stored it as; `null` for what no `put` has stored. */
export function readStoredEntry(text: string | null): JsonObject | null {
  const entry = text === null ? null : tryParseJson(text, { maxDepth: deepestEntry });
  return isJsonObject(entry) ? entry : null;
}
