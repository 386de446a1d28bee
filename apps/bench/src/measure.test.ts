import { expect, test } from "vitest";
import { rotated } from "./measure.ts";

test("each repeat begins with another peer, and all take part", () => {
  const orders = [0, 1, 2, 3].map((repeat) => rotated(["a", "b", "c"], repeat).join(""));
  expect(orders).toEqual(["abc", "bca", "cab", "abc"]);
});
