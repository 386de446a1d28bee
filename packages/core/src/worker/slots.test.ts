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

test("as many run as there are slots, first come first served", () => {
  const { slots, running, end } = setUp(2);
  for (const name of ["a", "b", "c", "d"]) slots.offer(delivery(name));
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

test("one suspect runs at a time, and the others do not hold up what is innocent", () => {
  const { slots, running, end } = setUp(3);
  for (const name of ["s1", "s2", "s3"]) slots.offer(delivery(name, 1));
  slots.offer(delivery("a"));
  expect([...running.keys()]).toEqual(["s1", "a"]);
  expect(slots.waitingSuspects).toBe(2);
  end("s1");
  expect([...running.keys()]).toEqual(["a", "s2"]);
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

test("it tells when a slot stays free", () => {
  const { slots, end, freed } = setUp(2);
  slots.offer(delivery("a"));
  slots.offer(delivery("b"));
  slots.offer(delivery("c"));
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
