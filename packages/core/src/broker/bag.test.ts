import { array, assert, nat, property } from "fast-check";
import { expect, test } from "vitest";
import { Bag, type Baggable } from "./bag.ts";

test("what was added and not deleted is in it, whatever the order", () => {
  assert(
    property(array(nat(9), { maxLength: 100 }), (numbers) => {
      const items = Array.from({ length: 10 }, (): Baggable => ({ place: 0 }));
      const bag = new Bag<Baggable>();
      const expected = new Set<Baggable>();
      for (const number of numbers) {
        const item = items[number];
        if (item === undefined) continue;
        if (expected.delete(item)) {
          bag.delete(item);
          bag.delete(item);
        } else {
          bag.add(item);
          expected.add(item);
        }
        expect(bag.size).toBe(expected.size);
        expect(new Set(bag)).toEqual(expected);
      }
    }),
  );
});
