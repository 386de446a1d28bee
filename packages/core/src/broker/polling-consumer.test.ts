import { describe, expect, test } from "vitest";
import { closeGate, FakeStore, safetyPollMs, settle } from "../../test/fake-store.ts";

describe("prefetch", () => {
  test("no more are in hand than the prefetch says, and each one that is settled makes room for one", async () => {
    const store = new FakeStore(10);
    const consumer = store.consume(4);
    await settle(store);
    expect(store.labels).toEqual(["m1", "m2", "m3", "m4"]);
    await store.ack(1);
    await settle(store);
    expect(store.labels).toEqual(["m2", "m3", "m4", "m5"]);
    await consumer.stop();
  });

  test("settles of one tick share one fetch", async () => {
    const store = new FakeStore(20);
    const consumer = store.consume(8);
    await settle(store);
    await store.ack(3);
    await settle(store);
    expect(store.fetches.map(({ max }) => max)).toEqual([8, 3]);
    await consumer.stop();
  });

  test("a fetch does not wait for the end of the tick when half of the prefetch is free", async () => {
    const store = new FakeStore(20);
    const consumer = store.consume(8);
    await settle(store);
    for (const delivery of store.handed.splice(0, 4)) void delivery.settle({ kind: "ack" });
    expect(store.fetches.map(({ max }) => max)).toEqual([8, 4]);
    await consumer.stop();
  });

  test("two fetches are never under way at once", async () => {
    const store = new FakeStore(3);
    const open = closeGate(store);
    const consumer = store.consume(4);
    consumer.wake();
    consumer.resize(8);
    consumer.wake();
    await settle(store);
    expect(store.fetches).toHaveLength(1);
    open();
    await settle(store);
    expect(store.mostUnderWay).toBe(1);
    await consumer.stop();
  });

  test("a delivery that is settled twice makes room once", async () => {
    const store = new FakeStore(10);
    const consumer = store.consume(2);
    await settle(store);
    const [first] = store.handed;
    expect(await Promise.all([first?.settle({ kind: "ack" }), first?.settle({ kind: "ack" })])).toEqual([
      "settled",
      "lost",
    ]);
    await settle(store);
    expect(store.settled).toEqual(["ack m1"]);
    expect(store.labels).toEqual(["m1", "m2", "m3"]);
    await consumer.stop();
  });
});

describe("resize", () => {
  test("a larger prefetch fetches the difference", async () => {
    const store = new FakeStore(10);
    const consumer = store.consume(2);
    await settle(store);
    consumer.resize(5);
    await settle(store);
    expect(store.labels).toHaveLength(5);
    expect(store.fetches.map(({ max }) => max)).toEqual([2, 3]);
    await consumer.stop();
  });

  test("a smaller prefetch takes nothing back, and fetches again when so many are settled", async () => {
    const store = new FakeStore(10);
    const consumer = store.consume(4);
    await settle(store);
    consumer.resize(2);
    await store.ack(2);
    await settle(store);
    expect(store.labels).toEqual(["m3", "m4"]);
    await store.ack(1);
    await settle(store);
    expect(store.labels).toEqual(["m4", "m5"]);
    await consumer.stop();
  });
});

describe("an idle consumer", () => {
  test("fetches at once when it is woken", async () => {
    const store = new FakeStore();
    const consumer = store.consume(4);
    await store.clock.advance(1000);
    store.ready.push("new");
    consumer.wake();
    await settle(store);
    expect(store.labels).toEqual(["new"]);
    expect(store.fetches.map(({ at }) => at)).toEqual([0, 1000]);
    await consumer.stop();
  });

  test("fetches again when it was woken during a fetch that brought nothing", async () => {
    const store = new FakeStore();
    const open = closeGate(store);
    const consumer = store.consume(4);
    await settle(store);
    store.ready.push("just missed");
    consumer.wake();
    open();
    await settle(store);
    expect(store.labels).toEqual(["just missed"]);
    await consumer.stop();
  });

  test("sleeps until the next message is due", async () => {
    const store = new FakeStore();
    store.nextDueMs = 700;
    const consumer = store.consume(4);
    await store.clock.advance(699);
    expect(store.fetches).toHaveLength(1);
    await store.clock.advance(1);
    expect(store.fetches.map(({ at }) => at)).toEqual([0, 700]);
    await consumer.stop();
  });

  test("looks every safety poll, which also shows that the broker answers", async () => {
    const store = new FakeStore();
    store.nextDueMs = 60_000;
    const consumer = store.consume(4);
    await store.clock.advance(2 * safetyPollMs);
    expect(store.fetches.map(({ at }) => at)).toEqual([0, safetyPollMs, 2 * safetyPollMs]);
    expect(consumer.heardAt).toBe(2 * safetyPollMs);
    await consumer.stop();
  });

  test("looks every ten seconds when its safety poll is longer, or a watchdog would replace it", async () => {
    const store = new FakeStore();
    const consumer = store.consume(4, 60_000);
    await store.clock.advance(20_000);
    expect(store.fetches.map(({ at }) => at)).toEqual([0, 10_000, 20_000]);
    expect(consumer.heardAt).toBe(20_000);
    await consumer.stop();
  });

  test("does not look while its hands are full", async () => {
    const store = new FakeStore(4);
    const consumer = store.consume(2);
    await store.clock.advance(10 * safetyPollMs);
    expect(store.fetches).toHaveLength(1);
    await store.ack(2);
    await settle(store);
    expect(store.labels).toEqual(["m3", "m4"]);
    await consumer.stop();
  });
});

describe("what comes unasked", () => {
  test("is handed out at once, and shows that the broker answers", async () => {
    const store = new FakeStore();
    const consumer = store.consume(2);
    await store.clock.advance(1000);
    void consumer.receive([store.delivery("new")]);
    expect(store.labels).toEqual(["new"]);
    expect(consumer.heardAt).toBe(1000);
    expect(consumer.room).toBe(1);
    await consumer.stop();
  });

  test("goes back, last first, where there is no room, and is fetched when there is", async () => {
    const store = new FakeStore();
    const consumer = store.consume(2);
    await settle(store);
    await consumer.receive(["a", "b", "c", "d"].map((label) => store.delivery(label)));
    expect(store.labels).toEqual(["a", "b"]);
    expect(store.settled).toEqual(["release d", "release c"]);
    store.ready.push("c", "d");
    await store.ack(1);
    await settle(store);
    expect(store.labels).toEqual(["b", "c"]);
    await consumer.stop();
  });

  test("leaves less room for a fetch that is under way: what that brings beyond it goes back", async () => {
    const store = new FakeStore(2);
    const open = closeGate(store);
    const consumer = store.consume(2);
    await settle(store);
    await consumer.receive([store.delivery("new")]);
    open();
    await settle(store);
    expect(store.labels).toEqual(["new", "m1"]);
    expect(store.settled).toEqual(["release m2"]);
    expect(store.fetches).toHaveLength(1);
    await consumer.stop();
  });

  test("goes back after a stop", async () => {
    const store = new FakeStore();
    const consumer = store.consume(2);
    await settle(store);
    await consumer.stop();
    await consumer.receive([store.delivery("late")]);
    expect(store.labels).toEqual([]);
    expect(store.settled).toEqual(["release late"]);
  });
});

describe("a fetch that fails", () => {
  test("is tried again after a pause that grows", async () => {
    const store = new FakeStore();
    store.errors.push(...Array.from({ length: 10 }, () => new Error("no answer")));
    const consumer = store.consume(4);
    await store.clock.advance(120_000);
    const pauses = store.fetches.slice(1, 11).map(({ at }, index) => at - (store.fetches[index]?.at ?? 0));
    pauses.forEach((pauseMs, index) => {
      const longest = Math.min(5000, 200 * 2 ** index);
      expect(pauseMs).toBeGreaterThanOrEqual(longest / 2);
      expect(pauseMs).toBeLessThanOrEqual(longest);
    });
    await consumer.stop();
  });

  test("is told of once, and every minute while it goes on", async () => {
    const store = new FakeStore();
    const consumer = store.consume(4);
    await settle(store);
    for (const outage of [1, 2]) {
      store.warnings.length = 0;
      store.errors.push(...Array.from({ length: 1000 }, () => new Error("no answer")));
      consumer.wake();
      await store.clock.advance(59_000);
      expect(store.warnings, `outage ${outage}`).toHaveLength(1);
      // Reminders come a pause late at most, which is up to 5 s: the third after 120 to 130 s, the fourth not before 180 s.
      await store.clock.advance(115_000);
      expect(store.warnings, `outage ${outage}`).toHaveLength(3);
      store.errors.length = 0;
      await store.clock.advance(10_000);
    }
    await consumer.stop();
  });

  test("is no sign that the broker answers, and a wake does not shorten the pause", async () => {
    const store = new FakeStore(1);
    await store.clock.advance(1000);
    store.errors.push(new Error("no answer"));
    const consumer = store.consume(4);
    await store.clock.advance(50);
    consumer.wake();
    await settle(store);
    expect(store.fetches).toHaveLength(1);
    expect(consumer.heardAt).toBe(1000);
    await store.clock.advance(200);
    expect(store.fetches).toHaveLength(2);
    expect(consumer.heardAt).toBeGreaterThan(1050);
    await consumer.stop();
  });

  test("is tried again at once when the store can be reached again", async () => {
    const store = new FakeStore();
    store.errors.push(...Array.from({ length: 10 }, () => new Error("no answer")));
    const consumer = store.consume(4);
    await store.clock.advance(8000);
    const before = store.fetches.length;
    consumer.retry();
    await settle(store);
    expect(store.fetches).toHaveLength(before + 1);
    await consumer.stop();
  });

  test("starts with a short pause again after one that worked", async () => {
    const store = new FakeStore();
    store.errors.push(...Array.from({ length: 5 }, () => new Error("no answer")));
    const consumer = store.consume(4);
    await store.clock.advance(60_000);
    store.errors.push(new Error("no answer"));
    const before = store.fetches.length;
    consumer.wake();
    await store.clock.advance(200);
    expect(store.fetches).toHaveLength(before + 2);
    await consumer.stop();
  });
});

describe("stop", () => {
  test("gives back what a fetch brings meanwhile, last first, and hands nothing out", async () => {
    const store = new FakeStore(3);
    const open = closeGate(store);
    const consumer = store.consume(4);
    await settle(store);
    const stopped = consumer.stop();
    open();
    await stopped;
    expect(store.labels).toEqual([]);
    expect(store.settled).toEqual(["release m3", "release m2", "release m1"]);
  });

  test("ends the pause after a failure", async () => {
    const store = new FakeStore();
    store.errors.push(new Error("no answer"));
    const consumer = store.consume(4);
    await settle(store);
    await consumer.stop();
    await store.clock.advance(10 * safetyPollMs);
    expect(store.fetches).toHaveLength(1);
  });

  test("leaves valid what is in hand, and fetches nothing for the room that it makes", async () => {
    const store = new FakeStore(10);
    const consumer = store.consume(4);
    await settle(store);
    await Promise.all([consumer.stop(), consumer.stop()]);
    await store.ack(4);
    consumer.wake();
    consumer.resize(20);
    await store.clock.advance(10 * safetyPollMs);
    expect(store.settled).toEqual(["ack m1", "ack m2", "ack m3", "ack m4"]);
    expect(store.fetches).toHaveLength(1);
  });
});
