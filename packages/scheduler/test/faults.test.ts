import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { amqp } from "@q/broker-amqp";
import { redis } from "@q/broker-redis";
import { sqlite } from "@q/broker-sqlite";
import { silentLogger, type Broker, type BrokerMessage, type MalformedMessage } from "@q/core/broker";
import { isInstalled, RabbitServer, RedisServer } from "@q/test-servers";
import { describe, expect, test } from "vitest";
import { CronPlace, type CronOrders } from "./cron-process.ts";

const hourMs = 3_600_000;
/** Seconds of the schedule that must come in order, whatever happens. */
const enough = 8;
const fewestKills = 4;
/** Milliseconds. Where the clock of a process decides, fewer than make ticks that are too many to be made up for. */
const smallOffsets = [4000, -4000, 900, -400, 0];

/** A tick in the queue: when it was planned, and when it was sent, by the sender's notion of the broker's time. */
interface SentTick {
  readonly at: number;
  readonly sentAt: number;
  readonly message: BrokerMessage;
}

/** Those that were sent so far, in order. */
type Ticks = () => Promise<readonly SentTick[]>;

function tickOf(message: BrokerMessage | MalformedMessage): SentTick {
  if ("malformed" in message) throw new Error("expected ticks alone");
  const at = Date.parse(message.id.replace("cron:second:", ""));
  return { at, sentAt: Number(message.headers["q_sent_at"]), message };
}

/** Looks at those that wait. */
async function looking(broker: Broker): Promise<Ticks> {
  return async () => {
    const page = await broker.inspector?.peek?.("default", "ready", { limit: 1000 });
    return (page?.items ?? []).map(({ message }) => tickOf(message));
  };
}

/** Takes them, where nobody can look. */
async function taking(broker: Broker): Promise<Ticks> {
  await broker.declare([{ name: "default", priorities: false }]);
  const taken: SentTick[] = [];
  await broker.consume(["default"], { prefetch: 1000 }, ({ message }) => void taken.push(tickOf(message)));
  return async () => [...taken];
}

/** When all have begun, kills one after the other, drawn by lot, until enough ticks were sent; answers how many. */
async function killUntilEnough(places: readonly CronPlace[], ticks: Ticks): Promise<number> {
  let seed = 48;
  const draw = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  const until = performance.now() + 90_000;
  const inTime = (): void => {
    if (performance.now() > until) throw new Error(`too slow: ${places.map((one) => one.complaints).join("\n")}`);
  };
  for (; places.some(({ wrongBy }) => wrongBy.length === 0); await wait(50)) inTime();
  let kills = 0;
  for (; kills < fewestKills || (await ticks()).length < enough; kills += 1) {
    inTime();
    await wait(500 + draw(1000));
    const place = places[draw(places.length)];
    await place?.kill();
    place?.start();
  }
  return kills;
}

/** When the ticks were planned whose messages a worker runs, in order. */
async function counting({ name, schedules }: Broker, sent: readonly SentTick[]): Promise<readonly number[]> {
  if (schedules === undefined) throw new Error(`expected the ${name} broker to keep schedules`);
  const counted: number[] = [];
  for (const { at, message } of sent)
    if ((await schedules.counts?.({ name: "second", at }, message)) !== false) counted.push(at);
  return counted.toSorted((a, b) => a - b);
}

interface Run {
  readonly broker: Broker;
  readonly offsets: readonly number[];
  /** How the ticks are seen. */
  readonly see: (broker: Broker) => Promise<Ticks>;
  /** Whether each process that is killed may leave one tick that is sent twice. */
  readonly mayRepeat?: boolean;
  /** May go on turning their clocks; what it answers ends that. */
  readonly onStart?: (places: readonly CronPlace[]) => () => void;
}

/** Five processes, killed until enough was sent. */
async function run(orders: CronOrders, { broker, offsets, see, mayRepeat = false, onStart }: Run) {
  await broker.open({ logger: silentLogger });
  const ticks = await see(broker);
  const places = await Promise.all(offsets.map((offset) => CronPlace.create(orders, offset)));
  for (const place of places) place.start();
  const end = onStart?.(places);
  try {
    const kills = await killUntilEnough(places, ticks);
    const sent = await ticks();
    const planned = [...new Set(sent.map(({ at }) => at))].toSorted((a, b) => a - b);
    // Each second, and none left out, from the first one to the last.
    expect(planned).toEqual(planned.map((_, index) => (planned[0] ?? 0) + 1000 * index));
    expect(sent.length - planned.length).toBeLessThanOrEqual(mayRepeat ? kills : 0);
    expect(await counting(broker, sent)).toEqual(planned);
    return { sent, places };
  } finally {
    end?.();
    await Promise.all(places.map((place) => place.remove()));
    await broker.close();
  }
}

describe("rows 47 and 48: five cron processes with wrong clocks, killed at random", () => {
  test(
    "on Redis each tick of a second is sent once, and in the time of Redis",
    { timeout: 120_000 },
    async ({ onTestFinished }) => {
      const server = await RedisServer.start();
      onTestFinished(() => server.stop());
      // One clock runs twice as fast, one is set back and forth.
      const turn = ([, , , fast, jumping]: readonly CronPlace[]): (() => void) => {
        const startedAt = performance.now();
        const beat = setInterval(() => {
          const passedMs = performance.now() - startedAt;
          fast?.turnClock(Math.round(passedMs));
          jumping?.turnClock(Math.floor(passedMs / 2000) % 2 === 0 ? hourMs : -hourMs);
        }, 100);
        return () => clearInterval(beat);
      };
      const orders = { adapter: "redis", url: server.url } as const;
      const offsets = [90_000, -90_000, -hourMs, 0, hourMs];
      const { sent, places } = await run(orders, {
        broker: redis(server.url),
        offsets,
        see: looking,
        onStart: turn,
      });
      for (const { at, sentAt } of sent) expect(sentAt).toBeGreaterThanOrEqual(at);
      // Their clocks were wrong in truth.
      const wrongBy = places.map((place) => place.wrongBy[0] ?? 0);
      expect(wrongBy[0]).toBeGreaterThan(60_000);
      expect(wrongBy[1]).toBeLessThan(-60_000);
      expect(Math.abs(wrongBy[4] ?? 0)).toBeGreaterThan(hourMs / 2);
    },
  );

  test("on SQLite each tick of a second is sent once", { timeout: 120_000 }, async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), "q-cron-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const url = `sqlite:${join(folder, "q.db")}`;
    // The clock is that of the process: the one that is ahead sends, the others find it done.
    const broker = sqlite(url);
    const { places } = await run({ adapter: "sqlite", url }, { broker, offsets: smallOffsets, see: looking });
    expect(places[1]?.wrongBy[0]).toBeLessThan(-2000);
  });

  test(
    "on RabbitMQ no tick of a second is lost, at most one for each process that dies is sent twice, and one of the two counts",
    { timeout: 180_000 },
    async ({ onTestFinished, skip }) => {
      skip(!isInstalled("rabbitmq-server"), "no RabbitMQ here: apt-get install rabbitmq-server");
      const server = await RabbitServer.start();
      onTestFinished(() => server.stop());
      // The clock is that of the process that keeps the schedules, another one after each of its deaths.
      const orders = { adapter: "amqp", url: server.url } as const;
      // By so much the seconds stand still after each of its deaths.
      const offsets = smallOffsets.map((offset) => offset / 2);
      const { places } = await run(orders, { broker: amqp(server.url), offsets, see: taking, mayRepeat: true });
      expect(places[1]?.wrongBy[0]).toBeLessThan(-1000);
    },
  );
});
