import { expect, test } from "vitest";
import { stepsOf } from "./measure.ts";
import type { Workload } from "./workload.ts";

function named(name: string, more: Partial<Workload> = {}): Workload {
  const size = { quick: 1, full: 2 };
  return { name, size, warmUp: size, isShared: false, run: () => Promise.resolve({}), ...more };
}

function written(workloads: readonly Workload[], repeats: number): readonly string[] {
  const steps = stepsOf({ workloads, repeats, peers: ["a", "b", "c"] });
  return steps.map(({ repeat, workload, peer }) => `${repeat} ${workload.name} ${peer}`);
}

test("each repeat begins with another peer, and all take part in each workload before the next", () => {
  expect(written([named("send"), named("run")], 2)).toEqual([
    "0 send a",
    "0 send b",
    "0 send c",
    "0 run a",
    "0 run b",
    "0 run c",
    "1 send b",
    "1 send c",
    "1 send a",
    "1 run b",
    "1 run c",
    "1 run a",
  ]);
});

test("a workload of some peers is not for the others, and one that needs fewer repeats gets no more", () => {
  const steps = written([named("send", { mostRepeats: 1 }), named("run", { peers: ["c", "a", "elsewhere"] })], 2);
  expect(steps).toEqual(["0 send a", "0 send b", "0 send c", "0 run a", "0 run c", "1 run c", "1 run a"]);
});
