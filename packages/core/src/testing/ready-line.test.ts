import { expect, test } from "vitest";
import * as fc from "fast-check";
import { ReadyLine } from "./ready-line.ts";

test("behaves as a list that is changed at both ends", () => {
  const step = fc.oneof(
    fc.constant("take" as const),
    fc.record({ add: fc.constantFrom("first", "last"), item: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const line = new ReadyLine<number>();
      const list: number[] = [];
      for (const change of steps) {
        const taken = change === "take" ? [line.take(), list.shift()] : [];
        expect(taken[0]).toBe(taken[1]);
        if (change === "take") continue;
        if (change.add === "first") {
          line.addFirst(change.item);
          list.unshift(change.item);
        } else {
          line.addLast(change.item);
          list.push(change.item);
        }
        expect(line.items()).toEqual(list);
        expect(line.size).toBe(list.length);
      }
    }),
  );
});

test("a long line that is emptied and filled again loses nothing", () => {
  const line = new ReadyLine<number>();
  const taken: (number | undefined)[] = [];
  for (let item = 0; item < 10_000; item += 1) {
    line.addLast(item);
    if (item % 3 !== 0) taken.push(line.take());
  }
  while (line.size > 0) taken.push(line.take());
  expect(taken).toEqual(Array.from({ length: 10_000 }, (_, item) => item));
});
