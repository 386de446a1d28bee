import { expect, test } from "vitest";
import { costPerTask } from "./cost-per-task.ts";
import { wholeLife } from "./whole-life.ts";

test("what tasks cost is the growth of the server's counters, shared among them", () => {
  const cost = costPerTask(
    { cpuUs: 1000, commands: 10, usedBytes: 1 },
    { cpuUs: 1500, commands: 60, usedBytes: 9 },
    100,
  );
  expect(cost).toEqual({ serverUs: 5, commands: 0.5 });
});

test("what a server does not count is left out, not nought, also in a whole life", () => {
  expect(costPerTask({ cpuUs: 1000 }, { cpuUs: 1500 }, 100)).toEqual({ serverUs: 5 });
  expect(costPerTask({}, {}, 100)).toEqual({});
  const life = wholeLife(
    ["enqueue, 100 in flight", "drain, concurrency 100"].map((workload) => ({
      workload,
      peer: "q",
      repeat: 0,
      count: 100,
      sample: { serverUs: 5 },
    })),
  );
  expect(life.map(({ sample }) => sample)).toEqual([{ serverUs: 10 }]);
});
