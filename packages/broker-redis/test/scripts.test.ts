import { RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adopt } from "../src/scripts/adopt.ts";
import { claim, tagOf, type Held } from "../src/scripts/claim.ts";
import { leave } from "../src/scripts/leave.ts";
import { mostOfBatch } from "../src/scripts/publish.ts";
import { settle, type Ending } from "../src/scripts/settle.ts";
import { stats } from "../src/scripts/stats.ts";
import { takeLanded } from "../src/scripts/take-landed.ts";
import { Place, pushes, reason, texts } from "./scripts-place.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

const textsOf = (held: readonly Held[]): string[] => held.map(({ text }) => String(text));

describe("publish", () => {
  test("a batch of thousands keeps its order in every list", async () => {
    const place = await Place.open(server);
    await place.publish(...pushes(4500).map((push, index) => ({ ...push, list: index % 2 === 0 ? 0 : 3 })));
    expect(await place.ready(0)).toEqual(texts(4500).filter((_, index) => index % 2 === 0));
    expect(await place.ready(3)).toEqual(texts(4500).filter((_, index) => index % 2 === 1));
  });

  test("identical messages that are delayed to one moment are as many", async () => {
    const place = await Place.open(server);
    await place.publish(...pushes(3, { text: "same", delayMs: 1 }));
    await place.enter("c");
    await expect.poll(async () => textsOf(await place.claim("c", 3))).toEqual(["same", "same", "same"]);
  });
});

describe("claim", () => {
  test("makes a few hundred ready at once, in the order of their times, and says that there is more", async () => {
    const place = await Place.open(server);
    await place.publish(...pushes(300, { delayMs: 5 }), { text: "before", list: 0, delayMs: 1 });
    await place.enter("c");
    const { connection, keys } = place;
    await expect.poll(async () => (await stats(connection, keys)).delayed).toBe(0);
    const first = await claim(connection, keys, { id: "c", most: 1000, lists: 1, lastFence: 0 });
    expect(first).toMatchObject({ nextDueMs: 0 });
    expect(textsOf(first?.held ?? [])).toEqual(["before", ...texts(199)]);
    expect(textsOf(await place.claim("c", 1000))).toEqual(texts(300).slice(199));
  });

  test("finds what is delayed for a list that is no longer read in the last one that is", async () => {
    const place = await Place.open(server);
    await place.publish({ text: "urgent", list: 0, delayMs: 1 }, { text: "slow", list: 3, delayMs: 1 });
    await place.enter("c");
    await expect
      .poll(async () => textsOf(await place.claim("c", 0, 1)).concat(await place.ready()))
      .toEqual(["urgent", "slow"]);
  });

  test.each([10, 10_000])(
    "brings each message as it is stored, also of %d letters and in any encoding",
    async (size) => {
      const place = await Place.open(server);
      const { connection, keys } = place;
      const stored = ["a".repeat(size), "ü".repeat(size), Buffer.alloc(size, 0xff), "", "🐘".repeat(size)];
      await connection.call("lpush", keys.lists[0] ?? "", ...stored);
      await place.enter("c");
      expect((await place.claim("c", 9)).map(({ text }) => text)).toEqual(stored);
    },
  );

  test.each([15, 16, 300, 70_000])("brings %d messages of all sizes together, as they are stored", async (count) => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    const sizes = [0, 31, 32, 255, 256, 65_535, 65_536].filter((size) => size < 300 || count > 299);
    const stored = Array.from({ length: count }, (_, index) => {
      const text = String(index).padEnd(sizes[index] ?? 0, "x");
      return index % 5 === 0 ? Buffer.from(`${text}\xff`, "latin1") : index % 5 === 1 ? `${text}ü\ufffd` : text;
    });
    for (let from = 0; from < count; from += 1000)
      await connection.call("lpush", keys.lists[0] ?? "", ...stored.slice(from, from + 1000));
    await place.enter("c");
    expect((await place.claim("c", count)).map(({ text }) => text)).toEqual(stored);
  });

  test("numbers of sixteen digits stay whole", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await connection.call(
      "hset",
      keys.meta,
      "tag",
      "999999999999998",
      "delayed",
      "8999999999999998",
      "dead",
      "999999999999999",
    );
    await place.enter("c");
    await place.publish(...pushes(3), ...pushes(2, { list: 3, delayMs: 3_600_000 }));
    const held = await place.claim("c", 3);
    expect(held.map((one) => [tagOf(one), one.fence])).toEqual([
      ["999999999999999:0", 999_999_999_999_999],
      ["1000000000000000:0", 1_000_000_000_000_000],
      ["1000000000000001:0", 1_000_000_000_000_001],
    ]);
    expect(await connection.call("hkeys", keys.held("c"))).toEqual(held.map(tagOf));
    expect(await adopt(connection, keys, { id: "c", most: 3, known: [] })).toEqual(held);
    expect(await connection.call("zrange", keys.delayed, 0, -1)).toEqual(["899999999999999931", "900000000000000032"]);
    await place.settle("c", [{ kind: "bury", fence: 1_000_000_000_000_001, list: 0, reason }]);
    expect(await connection.call("hkeys", keys.dead)).toEqual(["1000000000000000"]);
    // In the order of numbers, where that of texts is another.
    await place.renew("other", "c");
    expect(await place.ready()).toEqual(["1", "2"]);
  });
});

test("fences are beyond those that a consumer has seen, when the queue counts anew", async () => {
  const place = await Place.open(server);
  const { connection, keys } = place;
  await place.publish(...pushes(4));
  await place.enter("c");
  const claimed = await claim(connection, keys, { id: "c", most: 2, lists: 1, lastFence: 7 });
  expect(claimed?.held.map(({ fence }) => fence)).toEqual([8, 9]);
  await connection.call("lmove", keys.lists[0] ?? "", keys.landing("c", 0), "right", "left");
  const taken = await takeLanded(connection, keys, { id: "c", list: 0, most: 2, lastFence: 20 });
  expect(taken?.held.map(({ fence }) => fence)).toEqual([21, 22]);
  expect(await adopt(connection, keys, { id: "c", most: 9, known: [] })).toEqual([
    ...(claimed?.held ?? []),
    ...(taken?.held ?? []),
  ]);
});

describe("ten thousand messages in the hands of one consumer", () => {
  const open = async (): Promise<Place> => {
    const place = await Place.open(server);
    for (let at = 0; at < 10_000; at += mostOfBatch) await place.publish(...pushes(10_000).slice(at, at + mostOfBatch));
    await place.enter("c");
    expect(textsOf(await place.claim("c", 10_000))).toEqual(texts(10_000));
    return place;
  };
  const all = pushes(10_000).map((_, index) => ({ fence: index + 1, list: 0 }));

  test("are acked in one call", async () => {
    const place = await open();
    await place.settle("c", [], all);
    expect(await place.connection.call("exists", place.keys.held("c"))).toBe(0);
  });

  test("end in one call in every other way, and each has its answer", async () => {
    const place = await open();
    const kinds = ["ack", "start", "release", "requeue", "bury"] as const;
    const endings = all.map((one, index): Ending => {
      const kind = kinds[index % kinds.length] ?? "ack";
      if (kind === "requeue") return { kind, ...one, delayMs: 0, text: "again" };
      return kind === "bury" ? { kind, ...one, reason } : { kind, ...one };
    });
    const answer = await place.settle("c", endings);
    expect(answer?.endings).toEqual(all.map(() => "settled"));
    const { ready, inFlight, dead } = await stats(place.connection, place.keys);
    expect({ ready, inFlight, dead }).toEqual({ ready: 4000, inFlight: 2000, dead: 1000 });
  });

  test("go back in their order when it leaves, in steps", async () => {
    const place = await open();
    await leave(place.connection, place.keys, "c");
    expect(await place.ready()).toEqual(texts(10_000));
    expect(await claim(place.connection, place.keys, { id: "c", most: 1, lists: 1, lastFence: 0 })).toBeUndefined();
  });

  test("go back in their order when it dies, in steps, of which each says that there is more", async () => {
    const place = await open();
    let beats = 1;
    for (let more = (await place.renew("other", "c")).more; more; beats += 1) ({ more } = await place.renew("other"));
    expect(beats).toBeGreaterThan(10);
    expect(await place.ready()).toEqual(texts(10_000));
  });
});

describe("settle", () => {
  test("deletes dead letters by age and number, the oldest first, also when fewer are kept than before", async () => {
    const place = await Place.open(server);
    const { connection, keys } = place;
    await place.enter("c");
    await place.publish(...pushes(8));
    const [last, older, ...held] = (await place.claim("c", 8)).toReversed();
    const bury = (one: { readonly fence: number } | undefined): Ending => ({
      kind: "bury",
      fence: one?.fence ?? 0,
      list: 0,
      reason,
    });
    await place.settle("c", held.map(bury));
    await connection.call("zadd", keys.deadIndex, 1, "0000000000000002");
    const batch = { consumerId: "c", acks: [], retention: { maxAgeMs: 3_600_000, maxCount: 3 } };
    expect(await settle(connection, keys, { ...batch, endings: [bury(older)] })).toMatchObject({ trimmed: 1, dead: 6 });
    expect(await connection.call("hexists", keys.dead, "0000000000000002")).toBe(0);
    expect(await settle(connection, keys, { ...batch, endings: [bury(last)] })).toMatchObject({ trimmed: 4, dead: 3 });
    const entries = ["0000000000000006", "0000000000000007", "0000000000000008"];
    expect(await connection.call("zrange", keys.deadIndex, 0, -1)).toEqual(entries);
    expect(await connection.call("hlen", keys.dead)).toBe(3);
    expect(await connection.call("hmget", keys.dead, ...entries)).not.toContain(null);
  });
});

describe("what landed", () => {
  async function landing(count: number): Promise<Place> {
    const place = await Place.open(server);
    await place.enter("c");
    await place.publish(...pushes(4));
    const { connection, keys } = place;
    for (let landed = 0; landed < count; landed += 1)
      await connection.call("lmove", keys.lists[0] ?? "", keys.landing("c", 0), "right", "left");
    return place;
  }

  /** What the consumer gets of the messages "1" to "4". */
  function heldOf(number: number): Held {
    return { fence: number, list: 0, text: String(number), crashes: 0 };
  }

  test("is taken as far as it is wanted, and the rest goes back to the head", async () => {
    const place = await landing(3);
    const { connection, keys } = place;
    expect(await takeLanded(connection, keys, { id: "c", list: 0, most: 1, lastFence: 0 })).toEqual({
      held: [heldOf(1)],
      ready: 3,
    });
    expect(await place.ready()).toEqual(["2", "3", "4"]);
    expect(await adopt(connection, keys, { id: "c", most: 9, known: [] })).toEqual([heldOf(1)]);
  });

  test("takes those behind it along, which alone are not taken", async () => {
    const place = await landing(1);
    const { connection, keys } = place;
    const held = [heldOf(1), heldOf(2), heldOf(3)];
    expect(await takeLanded(connection, keys, { id: "c", list: 0, most: 3, lastFence: 0 })).toEqual({ held, ready: 1 });
    expect(await adopt(connection, keys, { id: "c", most: 9, known: [] })).toEqual(held);
    expect(await takeLanded(connection, keys, { id: "c", list: 0, most: 3, lastFence: 0 })).toEqual({
      held: [],
      ready: 1,
    });
    expect(await place.ready()).toEqual(["4"]);
  });

  test("goes back to the head in a paused queue", async () => {
    const place = await landing(2);
    await place.connection.call("hset", place.keys.meta, "paused", 1);
    const taken = await takeLanded(place.connection, place.keys, { id: "c", list: 0, most: 9, lastFence: 0 });
    expect(taken).toEqual({ held: [], ready: 4 });
    expect(await place.ready()).toEqual(["1", "2", "3", "4"]);
  });

  test("goes back to the head when its consumer has no lease", async () => {
    const place = await landing(2);
    const { connection, keys } = place;
    await connection.call("del", keys.lease);
    expect(await takeLanded(connection, keys, { id: "c", list: 0, most: 9, lastFence: 0 })).toBeUndefined();
    expect(await place.ready()).toEqual(["1", "2", "3", "4"]);
    expect(await connection.call("exists", keys.landing("c", 0), keys.held("c"))).toBe(0);
  });

  test("is known to be a suspect", async () => {
    const place = await landing(1);
    await place.renew("other", "c");
    await place.enter("d");
    await place.claim("d", 1);
    await place.renew("other", "d");
    await place.enter("e");
    const { connection, keys } = place;
    await connection.call("lmove", keys.lists[0] ?? "", keys.landing("e", 0), "right", "left");
    expect(await takeLanded(connection, keys, { id: "e", list: 0, most: 2, lastFence: 0 })).toMatchObject({
      held: [
        { text: "1", crashes: 1 },
        { text: "2", crashes: 0 },
      ],
    });
  });
});

test("bytes that are no text are the same after every way that they can go", async () => {
  const place = await Place.open(server);
  const { connection, keys } = place;
  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x0d, 0x0a, 0x80, 0xc0, 0x25, 0x73]);
  const list = keys.lists[0] ?? "";
  await connection.call("lpush", list, bytes);
  const stored = (): Promise<unknown> => connection.callBuffer("lindex", list, 0);
  const hold = async (id: string): Promise<Pick<Held, "fence" | "list">> => {
    await place.enter(id);
    const [held] = await place.claim(id, 1);
    if (held === undefined) throw new Error("expected a message to hold");
    expect(await connection.callBuffer("hget", keys.held(id), tagOf(held))).toEqual(bytes);
    return { fence: held.fence, list: held.list };
  };
  await place.settle("c1", [{ kind: "release", ...(await hold("c1")) }]);
  expect(await stored()).toEqual(bytes);
  await place.settle("c1", [{ kind: "requeue", ...(await hold("c1")), delayMs: 0, text: "" }]);
  expect(await stored()).toEqual(bytes);
  await hold("c1");
  await leave(connection, keys, "c1");
  expect(await stored()).toEqual(bytes);
  await hold("c2");
  await place.renew("other", "c2");
  expect(await stored()).toEqual(bytes);
  await place.settle("c3", [{ kind: "start", ...(await hold("c3")) }]);
  await place.renew("other", "c3");
  const [member] = (await connection.callBuffer("zrange", keys.delayed, 0, 0)) as Buffer[]; // what ZRANGE answers
  expect(member?.subarray(17)).toEqual(bytes);
  await connection.call("zadd", keys.delayed, 1, member ?? "");
  await place.settle("c4", [{ kind: "bury", ...(await hold("c4")), reason }]);
  const [letter] = (await connection.callBuffer("hvals", keys.dead)) as Buffer[]; // what HVALS answers
  expect(letter?.subarray(-bytes.length)).toEqual(bytes);
});

test.each(["a b", "日本 🪦", "*?[a-z]^\\", "a:b/c@d:0", "x".repeat(250), "'quoted\"\n%d%s"])(
  "a queue called %j works like any other",
  async (queue) => {
    const place = await Place.open(server, queue);
    const { connection, keys } = place;
    const id = "c@1:2:3";
    await place.publish(...pushes(3), ...pushes(1, { list: 3 }), ...pushes(1, { delayMs: 3_600_000 }));
    await place.enter(id);
    const [first, second] = await place.claim(id, 2);
    await place.settle(id, [{ kind: "bury", fence: first?.fence ?? 0, list: 0, reason }]);
    await connection.call("lmove", keys.lists[3] ?? "", keys.landing(id, 3), "right", "left");
    expect(await stats(connection, keys)).toMatchObject({ ready: 2, delayed: 1, inFlight: 1, dead: 1, consumers: 1 });
    expect(await place.renew("other@4", id)).toMatchObject({ recovered: 2 });
    expect(await place.ready()).toEqual([second?.text, "3"]);
    expect(await place.ready(3)).toEqual(["1"]);
    const all = [...((await connection.call("keys", "*")) as string[])].filter((key) => key.includes(queue));
    expect(all.every((key) => keys.lists.includes(key) || key.startsWith(`q:{${queue}}:`))).toBe(true);
  },
);

test("who has no lease changes nothing", async () => {
  const place = await Place.open(server);
  await place.publish(...pushes(2));
  await place.enter("c");
  const [first] = await place.claim("c", 1);
  await place.renew("other", "c");
  const before = await place.dump();
  const one = { fence: first?.fence ?? 0, list: 0 };
  expect(await place.settle("c", [{ kind: "requeue", ...one, delayMs: 0, text: "late" }], [one])).toBeUndefined();
  expect(await claim(place.connection, place.keys, { id: "c", most: 1, lists: 4, lastFence: 0 })).toBeUndefined();
  expect(await takeLanded(place.connection, place.keys, { id: "c", list: 0, most: 1, lastFence: 0 })).toBeUndefined();
  expect(await adopt(place.connection, place.keys, { id: "c", most: 1, known: [] })).toBeUndefined();
  expect(await place.dump()).toEqual(before);
});
