import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { redis } from "@q/broker-redis";
import { sqlite } from "@q/broker-sqlite";
import { silentLogger, type Broker } from "@q/core/broker";
import { RedisServer } from "@q/test-servers";
import { describe, expect, test } from "vitest";
import { CronPlace, type CronOrders } from "./cron-process.ts";

const hourMs = 3_600_000;
/** Seconds of the schedule that must come in order, whatever happens. */
const enough = 8;
const fewestKills = 4;

/** The ticks in the queue, in order: when each was planned, and when it was sent, by the sender's notion of the broker's time. */
async function ticks(broker: Broker): Promise<readonly { readonly at: number; readonly sentAt: number }[]> {
  const page = await broker.inspector?.peek?.("default", "ready", { limit: 1000 });
  return (page?.items ?? []).map(({ message }) => {
    if ("malformed" in message) throw new Error("expected ticks alone");
    return { at: Date.parse(message.id.replace("cron:second:", "")), sentAt: Number(message.headers["q_sent_at"]) };
  });
}

/** When all have begun, kills one after the other, drawn by lot, until enough ticks were sent. */
async function killUntilEnough(places: readonly CronPlace[], broker: Broker): Promise<void> {
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
  for (let kills = 0; kills < fewestKills || (await ticks(broker)).length < enough; kills += 1) {
    inTime();
    await wait(500 + draw(1000));
    const place = places[draw(places.length)];
    await place?.kill();
    place?.start();
  }
}

/** Five processes, killed until enough was sent. `onStart` may go on turning their clocks; what it answers ends that. */
async function run(
  orders: CronOrders,
  broker: Broker,
  offsets: readonly number[],
  onStart: (places: readonly CronPlace[]) => () => void = () => () => undefined,
) {
  await broker.open({ logger: silentLogger });
  const places = await Promise.all(offsets.map((offset) => CronPlace.create(orders, offset)));
  for (const place of places) place.start();
  const end = onStart(places);
  try {
    await killUntilEnough(places, broker);
    const sent = await ticks(broker);
    const planned = sent.map(({ at }) => at).toSorted((a, b) => a - b);
    // Each second once, and none left out, from the first one to the last.
    expect(planned).toEqual(planned.map((_, index) => (planned[0] ?? 0) + 1000 * index));
    return { sent, places };
  } finally {
    end();
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
      const { sent, places } = await run(orders, redis(server.url), [90_000, -90_000, -hourMs, 0, hourMs], turn);
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
    const { places } = await run({ adapter: "sqlite", url }, sqlite(url), [4000, -4000, 900, -400, 0]);
    expect(places[1]?.wrongBy[0]).toBeLessThan(-2000);
  });
});
