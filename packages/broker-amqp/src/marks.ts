import { createHash } from "node:crypto";
import type { Channel } from "amqplib";
import {
  tryParseJson,
  type BrokerMessage,
  type Clock,
  type JsonArray,
  type JsonValue,
  type MalformedMessage,
} from "@q/core/broker";
import { amqpError } from "./amqp-error.ts";
import type { Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import type { Locks } from "./locks.ts";
import { marksQueue } from "./names.ts";
import type { Outboxes } from "./outboxes.ts";
import type { Topology } from "./topology.ts";

/**
 * What somebody knew of a message when he let go of it, or was about to run it. RabbitMQ itself only tells that it was handed out before.
 *
 * | mark | when it comes again |
 * |---|---|
 * | released | it was given back on purpose: nobody died |
 * | held | whoever held it then had not started it: its death does not count |
 * | started | it was started, and never settled: one more worker died of it |
 * | gone | its outcome is stored: what was known of it before does not count for another one of its id |
 */
export interface Mark {
  readonly key: string;
  readonly kind: "released" | "held" | "started" | "gone";
  /** Workers that had died of it by then. */
  readonly crashes: number;
}

export interface MarksOptions {
  readonly quiet: () => Promise<Connection>;
  /** To read them on: nothing is lost when a queue of marks gives no answer there. */
  readonly reading: () => Promise<Connection>;
  readonly outbox: Outboxes;
  readonly topology: Topology;
  readonly locks: Locks;
  readonly clock: Clock;
  readonly address: string;
}

/** Marks of messages that never came again are forgotten after this. */
const keptForMs = 72 * 3_600_000;

/** Names a message as long as it keeps its id and body, and is not retried: what is known of one attempt says nothing of the next. */
export function markKey(message: BrokerMessage | MalformedMessage): string {
  const hash = createHash("sha1");
  if ("malformed" in message) hash.update(message.raw);
  else hash.update(`${message.id}\0${JSON.stringify(message.headers["retries"] ?? 0)}\0`).update(message.body);
  return hash.digest("base64url");
}

/**
 * Marks of single messages, in a queue beside theirs that nobody consumes: it is read as a whole, by one process at a time. Only what is given back or
 * came back costs anything here.
 */
export class Marks {
  readonly #options: MarksOptions;
  readonly #declared = new Set<string>();

  constructor(options: MarksOptions) {
    this.#options = options;
  }

  /** Makes sure that there is a place for marks. Whoever consumes the queue does so early: who gives messages back may be in a hurry. */
  async declare(queue: string): Promise<void> {
    if (this.#declared.has(queue)) return;
    const { quiet, topology } = this.#options;
    await topology.declareSide(await (await quiet()).ready(), marksQueue(queue), topology.sideType(queue));
    this.#declared.add(queue);
  }

  /** Adds marks; the newest one of a message counts. @throws BrokerError when they could not be stored */
  async add(queue: string, marks: readonly Mark[], signal?: AbortSignal): Promise<void> {
    const now = this.#options.clock.now();
    await this.#store(
      queue,
      marks.map(({ key, kind, crashes }) => [key, kind, crashes, now]),
      signal,
    );
  }

  /** What is known of these messages, which are held from now on. */
  async take(queue: string, keys: readonly string[]): Promise<ReadonlyMap<string, Mark>> {
    const { reading, locks, address } = this.#options;
    const link = await (await reading()).ready();
    await this.declare(queue);
    // Without the lock there seem to be none while somebody else looks at them.
    return await locks.hold(`marks.${queue}`, () =>
      link
        .scratch((channel) => this.#takeAll(queue, new Set(keys), { link, channel }))
        .catch((error: unknown) => {
          throw amqpError(error, address);
        }),
    );
  }

  async #takeAll(
    queue: string,
    keys: ReadonlySet<string>,
    { link, channel }: { readonly link: Link; readonly channel: Channel },
  ): Promise<ReadonlyMap<string, Mark>> {
    const rows: Row[] = [];
    let messages = 0;
    for (;;) {
      const found = await link.call(channel.get(marksQueue(queue)));
      if (found === false) break;
      messages += 1;
      rows.push(...rowsOf(found.content));
    }
    const newest = new Map<string, Row>();
    // By their times: what somebody has stored anew may stand behind what was added meanwhile.
    for (const row of rows) if ((newest.get(row[0])?.[3] ?? 0) <= row[3]) newest.set(row[0], row);
    const now = this.#options.clock.now();
    const taken = new Map<string, Mark>();
    const rest: Row[] = [];
    for (const row of newest.values()) {
      const [key, kind, crashes, at] = row;
      if (kind === "gone" || at < now - keptForMs) continue;
      if (!keys.has(key)) {
        rest.push(row);
        continue;
      }
      taken.set(key, { key, kind, crashes });
      const died = kind === "started" ? crashes + 1 : crashes;
      // Should this worker die before it starts it, the count must not begin again.
      if (died > 0) rest.push([key, "held", died, now]);
    }
    if (messages === 0) return taken;
    // Always stored anew: what a quorum queue is given back, the next reader may not find there yet.
    if (rest.length > 0) await this.#store(queue, rest);
    channel.ackAll();
    return taken;
  }

  async #store(queue: string, rows: readonly Row[], signal?: AbortSignal): Promise<void> {
    const { outbox } = this.#options;
    const name = marksQueue(queue);
    const consignment = {
      queue,
      exchange: "",
      routingKey: name,
      content: Buffer.from(JSON.stringify(rows)),
      options: { persistent: true, mandatory: true, contentType: "application/json" },
    };
    await this.declare(queue);
    const failures = await outbox.send([consignment], signal === undefined ? {} : { signal });
    const failure = failures.get(0);
    if (failure === undefined) return;
    // Somebody has deleted it: the next one creates it.
    this.#declared.delete(queue);
    throw failure;
  }
}

/** Key, kind, crashes, and when it was written: epoch milliseconds. */
type Row = readonly [string, Mark["kind"], number, number];

/** Those that can be read. */
function rowsOf(content: Buffer): readonly Row[] {
  const value = tryParseJson(content.toString());
  return Array.isArray(value) ? value.filter(isRow) : [];
}

function isRow(value: JsonValue): value is JsonValue & Row {
  if (!Array.isArray(value)) return false;
  const [key, kind, crashes, at] = value as JsonArray;
  return (
    typeof key === "string" &&
    (kind === "released" || kind === "held" || kind === "started" || kind === "gone") &&
    typeof crashes === "number" &&
    typeof at === "number"
  );
}
