import { RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { enter } from "../src/scripts/enter.ts";
import { leave } from "../src/scripts/leave.ts";
import { renew } from "../src/scripts/renew.ts";
import { stats } from "../src/scripts/stats.ts";
import { startServer } from "./connecting.ts";
import { leaseMs, Place, pushes, texts } from "./scripts-place.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

describe("renew", () => {
  /** As if nobody but `c` had been heard for so long, and its lease had run out. */
  const silent = async (place: Place, ms: number): Promise<void> => {
    const now = await place.now();
    await place.connection.call("zadd", place.keys.lease, now - 1, "c");
    await place.connection.call("hset", place.keys.meta, "beat", now - ms);
  };
  const scoreOf = async ({ connection, keys }: Place, id: string): Promise<number> =>
    Number(await connection.call("zscore", keys.lease, id));

  test("takes nothing from anybody after Redis itself was away, before everybody had the time of a lease", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await place.publish(...pushes(1));
    await place.enter("c");
    await place.claim("c", 1);
    await silent(place, leaseMs / 2 + 1000);
    expect(await place.renew("other")).toMatchObject({ recovered: 0, consumers: ["c"] });
    // In time again, which does not end the grace.
    expect(await place.renew("other")).toMatchObject({ recovered: 0, consumers: ["c"] });
    await connection.call("hset", keys.meta, "grace", await place.now());
    expect(await place.renew("other")).toMatchObject({ recovered: 1, consumers: [] });
  });

  /** A beat of `id`, whose lease is ten times as long. */
  const renewLong = ({ connection, keys }: Place, id: string) =>
    renew(connection, keys, { id, leaseMs: 10 * leaseMs, silenceMs: 5 * leaseMs, crashDelayMs: 1000, knownDead: [] });
  const graceOf = async ({ connection, keys }: Place): Promise<number> =>
    Number(await connection.call("hget", keys.meta, "grace"));

  test("after Redis was away, who has a longer lease, and so beats more rarely, has its whole time", async () => {
    const place = await Place.open(server);
    await place.publish(...pushes(1));
    await place.enter("c");
    await place.claim("c", 1);
    await renewLong(place, "c");
    await place.renew("other");
    await silent(place, 100 * leaseMs);
    const now = await place.now();
    expect(await place.renew("other")).toMatchObject({ recovered: 0, consumers: ["c"] });
    expect(await graceOf(place)).toBeGreaterThanOrEqual(now + 10 * leaseMs);
    expect(await renewLong(place, "c")).toMatchObject({ alive: true });
  });

  test("who has a longer lease has its whole time also when Redis soon is away again", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await renewLong(place, "long");
    await place.enter("c");
    await silent(place, 100 * leaseMs);
    await connection.call("hset", keys.meta, "heard", (await place.now()) - 100 * leaseMs);
    await place.renew("other");
    const grace = await graceOf(place);
    await place.renew("other");
    await silent(place, leaseMs);
    await place.renew("other");
    expect(await graceOf(place)).toBe(grace);
    expect(grace).toBeGreaterThan((await place.now()) + 9 * leaseMs);
  });

  test("a longer lease is forgotten when nobody who has it was heard for its time", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await renewLong(place, "gone");
    await place.renew("other");
    await connection.call("hset", keys.meta, "heard", (await place.now()) - 11 * leaseMs);
    await place.renew("other");
    await silent(place, 100 * leaseMs);
    await place.renew("other");
    expect(await graceOf(place)).toBeLessThan((await place.now()) + 2 * leaseMs);
  });

  test("finds who is dead also where workers come and go, each after a silence", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await place.publish(...pushes(1));
    await place.enter("c");
    await place.claim("c", 1);
    await place.renew("c");
    /** As if all that is known were so much older. */
    const age = async (ms: number): Promise<void> => {
      await connection.call("zincrby", keys.lease, -ms, "c");
      for (const field of ["beat", "heard", "grace", "aged"])
        if ((await connection.call("hexists", keys.meta, field)) === 1)
          await connection.call("hincrby", keys.meta, field, -ms);
    };
    const recovered: number[] = [];
    for (let visit = 0; visit < 20 && recovered.at(-1) !== 1; visit += 1) {
      await age(10 * leaseMs);
      recovered.push((await place.renew("other")).recovered);
    }
    // After the first, a fifth of a lease goes by with each, until it is three of them.
    expect(recovered).toEqual([...Array.from({ length: 15 }, () => 0), 1]);
  });

  test("takes from who is silent while others were heard", async () => {
    const place = await Place.open(server);
    await place.publish(...pushes(1));
    await place.enter("c");
    await place.claim("c", 1);
    await silent(place, leaseMs / 2 - 5000);
    expect(await place.renew("other")).toMatchObject({ recovered: 1, consumers: [] });
  });

  test("leaves everybody the time of a lease when the clock went back, and nobody more", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await place.publish(...pushes(1));
    await place.enter("c");
    await place.enter("far");
    await place.claim("c", 1);
    const now = await place.now();
    await silent(place, -5000);
    await connection.call("zadd", keys.lease, now + 10 * leaseMs, "far");
    expect(await place.renew("other")).toMatchObject({ recovered: 0 });
    expect(await scoreOf(place, "far")).toBeGreaterThanOrEqual(now + leaseMs);
    expect(await scoreOf(place, "far")).toBeLessThan(now + 2 * leaseMs);
    expect(await graceOf(place)).toBeGreaterThanOrEqual(now + leaseMs);
  });

  test("a clock that goes back by less than a second changes nothing", async () => {
    const place = await Place.open(server);
    await place.publish(...pushes(1));
    await place.enter("c");
    await place.claim("c", 1);
    await silent(place, -500);
    expect(await place.renew("other")).toMatchObject({ recovered: 1 });
  });

  test("does not give a lease back to who has none", async () => {
    const place = await Place.open(server);
    await place.enter("c");
    expect(await place.renew("other", "c")).toMatchObject({ alive: false, consumers: [] });
    expect(await place.renew("c")).toMatchObject({ alive: false, consumers: [] });
  });

  test("counts a death of everything once, then of what was started, which waits longer each time", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await place.publish({ text: "poison", list: 0, delayMs: 0 }, { text: "neighbour", list: 0, delayMs: 0 });
    const waits: number[] = [];
    for (const died of [1, 2, 3, 4]) {
      await place.enter(`c${died}`);
      await connection.call("hset", keys.meta, "beat", await place.now());
      const held = await place.claim(`c${died}`, 2);
      const counts = Object.fromEntries(held.map(({ text, crashes }) => [text, crashes]));
      expect(counts).toEqual({ poison: died - 1, neighbour: Math.min(1, died - 1) });
      const poison = held.find(({ text }) => text === "poison");
      if (died > 1) await place.settle(`c${died}`, [{ kind: "start", fence: poison?.fence ?? 0, list: 0 }]);
      const before = await place.now();
      await place.renew("other", `c${died}`);
      const [member, dueAt] = (await connection.call("zrange", keys.delayed, 0, 0, "WITHSCORES")) as string[]; // what ZRANGE answers
      if (member === undefined) continue;
      waits.push(Math.floor((Number(dueAt) - before) / 1000));
      await connection.call("zadd", keys.delayed, 1, member);
    }
    expect(waits).toEqual([1, 2, 4]);
  });

  test("crashes are remembered for three days", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await place.publish(...pushes(1));
    await place.enter("c");
    await place.claim("c", 1);
    await place.renew("other", "c");
    const days = Number(await connection.call("pttl", keys.crashes)) / 86_400_000;
    expect(days).toBeGreaterThan(2.99);
    expect(days).toBeLessThanOrEqual(3);
  });

  test("many dead are buried a few at a time", async () => {
    const place = await Place.open(server);
    const now = await place.now();
    await place.publish(...pushes(25));
    for (let number = 1; number <= 25; number += 1) {
      await place.enter(`c${number}`);
      await place.claim(`c${number}`, 1);
      await place.connection.call("zadd", place.keys.lease, now - 100 + number, `c${number}`);
    }
    const beats = [await place.renew("o"), await place.renew("o"), await place.renew("o")];
    expect(beats.map(({ recovered }) => recovered)).toEqual([10, 10, 5]);
  });
});

describe("a grave", () => {
  const land = ({ connection, keys }: Place, id: string): Promise<unknown> =>
    connection.call("lmove", keys.lists[0] ?? "", keys.landing(id, 0), "right", "left");

  test.each(["died", "left"])("gives back what lands for a consumer that has %s, uncounted", async (how) => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await place.publish(...pushes(3));
    await place.enter("c");
    if (how === "died") await place.renew("other", "c");
    else await leave(connection, keys, "c");
    await land(place, "c");
    await land(place, "c");
    expect(await stats(connection, keys)).toMatchObject({ ready: 3 });
    expect(await place.renew("other")).toMatchObject({ recovered: 2 });
    expect(await place.ready()).toEqual(["1", "2", "3"]);
    expect(await connection.call("exists", keys.crashes)).toBe(0);
  });

  test("is dug for who lost its lease when Redis forgot it, and for nobody who has one", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await place.publish(...pushes(1));
    await place.enter("c");
    await enter(connection, keys, { id: "d", leaseMs, before: "c" });
    expect(await connection.call("exists", keys.grave)).toBe(0);
    await connection.call("zrem", keys.lease, "c");
    await enter(connection, keys, { id: "e", leaseMs, before: "c" });
    await land(place, "c");
    expect(await place.renew("d")).toMatchObject({ recovered: 1 });
    expect(await place.ready()).toEqual(["1"]);
  });

  test("is looked into once more before it is forgotten", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await place.publish(...pushes(1));
    await place.enter("c");
    await leave(connection, keys, "c");
    await land(place, "c");
    // Nobody was there to look for longer than it is kept.
    await connection.call("zadd", keys.grave, 1, "c");
    expect(await place.renew("other")).toMatchObject({ recovered: 1 });
    expect(await place.ready()).toEqual(["1"]);
    expect(await connection.call("exists", keys.grave)).toBe(0);
  });

  /** Of consumers that died long ago. */
  const digMany = async (place: Place): Promise<void> => {
    const now = await place.now();
    const graves = Array.from({ length: 3000 }, (_, number) => [now + 60_000 + number, `c${number}`]);
    await place.connection.call("zadd", place.keys.grave, ...graves.flat());
  };

  test("of many, a few hundred are looked into with each beat, each of them in its turn and with one command", async () => {
    const place = await Place.open(await startServer());
    const { connection } = place;
    await place.publish(...pushes(2));
    await digMany(place);
    await land(place, "c1500");
    await land(place, "c2999");
    await connection.call("config", "resetstat");
    const beats: number[] = [];
    for (let beat = 0; beat < 10; beat += 1) beats.push((await place.renew("other")).recovered);
    expect(beats).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    const counted = String(await connection.call("info", "commandstats"));
    const calls = [...counted.matchAll(/:calls=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    expect(calls).toBeGreaterThan(3000);
    expect(calls).toBeLessThan(3500);
    // And from the beginning.
    await land(place, "c0");
    const again = [await place.renew("other"), await place.renew("other")];
    expect(again.map(({ recovered }) => recovered)).toContain(1);
  });

  test("of many, that of who has just died is emptied at once", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await digMany(place);
    await place.publish(...pushes(1200));
    await place.enter("c");
    await place.claim("c", 1200);
    const beats = [await place.renew("other", "c"), await place.renew("other"), await place.renew("other")];
    expect(beats.map(({ recovered }) => recovered)).toEqual([500, 500, 200]);
    expect(await place.ready()).toEqual(texts(1200));
    expect(Number(await connection.call("zscore", keys.grave, "c"))).toBeLessThan(Infinity);
  });

  test("that expires is forgotten, also behind many others", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await digMany(place);
    for (let beat = 0; beat < 5; beat += 1) await place.renew("other");
    await connection.call("zadd", keys.grave, 1, "old");
    for (let beat = 0; beat < 11; beat += 1) await place.renew("other");
    expect(await connection.call("zcard", keys.grave)).toBe(3000);
    expect(await connection.call("zscore", keys.grave, "old")).toBe(null);
  });

  test("is not forgotten as long as there is something in it", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await place.publish(...pushes(1200));
    await place.enter("c");
    await place.claim("c", 1200);
    await place.renew("other", "c");
    await connection.call("zadd", keys.grave, 1, "c");
    expect(await place.renew("other")).toMatchObject({ recovered: 500, more: true });
    expect(await connection.call("exists", keys.grave)).toBe(1);
    await place.renew("other");
    expect(await place.ready()).toEqual(texts(1200));
    expect(await connection.call("exists", keys.grave)).toBe(0);
  });
});
