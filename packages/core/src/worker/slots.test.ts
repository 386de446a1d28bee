import { expect, test } from "vitest";
import type { Delivery } from "../broker/delivery.ts";
import { Slots } from "./slots.ts";

function delivery(name: string, crashes = 0): Delivery & { readonly name: string } {
  return {
    name,
    crashes,
    message: { queue: "q", raw: new Uint8Array(), malformed: "" },
    lost: new AbortController().signal,
    start: () => Promise.resolve("settled"),
    settle: () => Promise.resolve("settled"),
  };
}

/** Starts are a microtask apart: after this all have been made. */
const allStarted = () => new Promise((resolve) => setImmediate(resolve));

/** Slots whose runs end when the test says so. */
function setUp(size: number) {
  const running = new Map<string, Delivery>();
  let freed = 0;
  const slots = new Slots(
    size,
    (started) => {
      const { name } = started as Delivery & { readonly name: string };
      if (!name.startsWith("none")) running.set(name, started);
      return !name.startsWith("none");
    },
    () => (freed += 1),
  );
  const end = (name: string): void => {
    const ended = running.get(name);
    running.delete(name);
    if (ended !== undefined) slots.freed(ended);
  };
  return { slots, running, end, freed: () => freed };
}

test("as many run as there are slots, first come first served", async () => {
  const { slots, running, end } = setUp(2);
  for (const name of ["a", "b", "c", "d"]) slots.offer(delivery(name));
  await allStarted();
  expect([...running.keys()]).toEqual(["a", "b"]);
  end("b");
  expect([...running.keys()]).toEqual(["a", "c"]);
  expect(slots.busy).toBe(2);
});

test("what needs no slot takes none", () => {
  const { slots, running } = setUp(1);
  for (const name of ["none1", "none2", "a"]) slots.offer(delivery(name));
  expect([...running.keys()]).toEqual(["a"]);
});

test("one suspect runs at a time, and the others do not hold up what is innocent", async () => {
  const { slots, running, end } = setUp(3);
  for (const name of ["s1", "s2", "s3"]) slots.offer(delivery(name, 1));
  slots.offer(delivery("a"));
  await allStarted();
  expect([...running.keys()]).toEqual(["s1", "a"]);
  expect(slots.waitingSuspects).toBe(2);
  end("s1");
  expect([...running.keys()]).toEqual(["a", "s2"]);
  await allStarted();
  end("s2");
  expect([...running.keys()]).toEqual(["a", "s3"]);
});

test("what has not started can be taken back, suspects too", () => {
  const { slots, running, end } = setUp(1);
  slots.offer(delivery("s1", 1));
  slots.offer(delivery("s2", 1));
  slots.offer(delivery("a"));
  expect(slots.takeUnstarted()).toHaveLength(2);
  end("s1");
  expect([...running.keys()]).toEqual([]);
});

test("while it holds, nothing starts, also when a slot becomes free", () => {
  const { slots, running, end } = setUp(1);
  slots.offer(delivery("a"));
  slots.offer(delivery("b"));
  slots.hold();
  slots.offer(delivery("c"));
  end("a");
  expect([...running.keys()]).toEqual([]);
  slots.go();
  expect([...running.keys()]).toEqual(["b"]);
});

test("a run that offers more before its first await does not exceed the slots", () => {
  let atOnce = 0;
  const slots: Slots = new Slots(
    1,
    () => {
      atOnce += 1;
      if (atOnce === 1) slots.offer(delivery("b"));
      return true;
    },
    () => {},
  );
  slots.offer(delivery("a"));
  expect([atOnce, slots.busy]).toEqual([1, 1]);
});

test("it tells when a slot stays free", async () => {
  const { slots, end, freed } = setUp(2);
  slots.offer(delivery("a"));
  slots.offer(delivery("b"));
  slots.offer(delivery("c"));
  await allStarted();
  end("a");
  expect(freed()).toBe(0);
  end("b");
  expect(freed()).toBe(1);
});

test("what ends as soon as it starts frees its slot for the next one, without growing the stack", () => {
  let ended = 0;
  const slots: Slots = new Slots(
    1,
    (started) => {
      ended += 1;
      slots.freed(started);
      return true;
    },
    () => {},
  );
  slots.hold();
  for (let n = 0; n < 20_000; n += 1) slots.offer(delivery("a"));
  slots.go();
  expect([ended, slots.busy]).toEqual([20_000, 0]);
});

test("what ends in its first microtask has ended before the next one starts", async () => {
  const log: string[] = [];
  const slots: Slots = new Slots(
    3,
    (started) => {
      const { name } = started as Delivery & { readonly name: string };
      log.push(`${name} starts`);
      void Promise.resolve().then(() => {
        log.push(`${name} ends`);
        slots.freed(started);
      });
      return true;
    },
    () => {},
  );
  for (const name of ["a", "b", "c"]) slots.offer(delivery(name));
  await allStarted();
  expect(log).toEqual(["a starts", "a ends", "b starts", "b ends", "c starts", "c ends"]);
});

test("what waits longer runs beside all others before the event loop turns", async () => {
  const { slots, running } = setUp(100);
  for (let n = 0; n < 101; n += 1) slots.offer(delivery(`${n}`));
  await new Promise<void>((resolve) => process.nextTick(resolve));
  expect(running.size).toBe(100);
});

test("a hold also keeps back the start that was to come next", async () => {
  const { slots, running, freed } = setUp(2);
  slots.offer(delivery("a"));
  slots.offer(delivery("b"));
  slots.hold();
  await allStarted();
  expect([[...running.keys()], freed()]).toEqual([["a"], 1]);
  slots.go();
  expect([...running.keys()]).toEqual(["a", "b"]);
});

test("it tells of a free slot when suspects were found that have to wait", async () => {
  let heldBack = 0;
  const slots: Slots = new Slots(
    2,
    () => true,
    () => (heldBack = slots.waitingSuspects),
  );
  for (const name of ["s1", "s2", "s3"]) slots.offer(delivery(name, 1));
  await allStarted();
  expect(heldBack).toBe(2);
});
