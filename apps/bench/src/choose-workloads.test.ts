import { expect, test } from "vitest";
import { chooseWorkloads } from "./choose-workloads.ts";
import type { Workload } from "./workload.ts";

const size = { quick: 1, full: 2 };
const one = { size, warmUp: size, isShared: false, run: () => Promise.resolve({}) };
const all: readonly Workload[] = [
  { ...one, name: "drain, concurrency 1", isForFullRuns: true },
  { ...one, name: "drain, concurrency 100" },
];

function names(isQuick: boolean, workloads: readonly string[]): readonly (readonly string[])[] {
  const { chosen, left } = chooseWorkloads(all, { isQuick, workloads });
  return [chosen, left].map((some) => some.map(({ name }) => name));
}

test("a quick run leaves out what is for full runs, and says so", () => {
  expect(names(true, [])).toEqual([["drain, concurrency 100"], ["drain, concurrency 1"]]);
  expect(names(false, [])).toEqual([["drain, concurrency 1", "drain, concurrency 100"], []]);
});

test("what is asked for by name is done, also in a quick run", () => {
  expect(names(true, ["drain"])).toEqual([["drain, concurrency 1", "drain, concurrency 100"], []]);
  expect(names(true, ["concurrency 100", "enqueue"])).toEqual([["drain, concurrency 100"], []]);
});
