import { expect, test } from "vitest";
import { reachedBy, report } from "./report.ts";
import type { Measurement, Results } from "./results.ts";
import type { Target } from "./targets.ts";
import { wholeLife } from "./whole-life.ts";

const sends = "enqueue, 100 in flight";
const drains = "drain, concurrency 100";

function measured(workload: string, peer: string, samples: readonly Measurement["sample"][]): readonly Measurement[] {
  return samples.map((sample, repeat) => ({ workload, peer, repeat, count: 1000, sample }));
}

function resultsOf(measurements: readonly Measurement[], targets: readonly Target[] = []): Results {
  return {
    field: "redis",
    date: "2030-01-02T03:04:05.000Z",
    isQuick: false,
    repeats: 2,
    machine: {
      processor: "a CPU",
      processors: 2,
      memoryGb: 8,
      system: "linux x64",
      node: "20.0.0",
      server: "Redis 7.0.0",
      load: 0.5,
    },
    peers: [
      { name: "q", title: "q", versions: { "@q/core": "1.0.0" }, settings: {} },
      { name: "bullmq", title: "BullMQ", versions: { bullmq: "6.0.0" }, settings: { removeOnComplete: true } },
    ],
    targets,
    measurements,
  };
}

test("a rate that is five times a peer's is 5 ×, by the median of the repeats' ratios", () => {
  const text = report(
    resultsOf([
      ...measured(sends, "q", [{ perSecond: 50_000 }, { perSecond: 40_000 }, { perSecond: 600 }]),
      ...measured(sends, "bullmq", [{ perSecond: 10_000 }, { perSecond: 8000 }, { perSecond: 100 }]),
    ]),
  );
  expect(text).toContain("| enqueue, 100 in flight | 40,000 (600 to 50,000) | 8,000 (100 to 10,000) · **5.0 ×** |");
});

test("a peer that was measured in one repeat only has the ratio of that one", () => {
  const [, second] = measured(sends, "bullmq", [{ serverUs: 1 }, { perSecond: 1000 }]);
  const own = measured(sends, "q", [{ perSecond: 50_000 }, { perSecond: 3000 }]);
  const results = resultsOf([...own, ...(second === undefined ? [] : [second])]);
  expect(report(results)).toContain("| 1,000 (1,000 to 1,000) · **3.0 ×** |");
  const target: Target = { workload: sends, metric: "perSecond", against: "bullmq", atLeast: 1 };
  expect(reachedBy(results, target)).toEqual({ median: 3, min: 3, max: 3 });
});

test("where less is better, a ratio above 1 is still q ahead", () => {
  const text = report(
    resultsOf([
      ...measured(drains, "q", [{ serverUs: 5 }, { serverUs: 5 }]),
      ...measured(drains, "bullmq", [{ serverUs: 100 }, { serverUs: 50 }]),
    ]),
  );
  expect(text).toContain("| drain, concurrency 100 | 5.0 (5.0 to 5.0) | 75.0 (50.0 to 100.0) · **15 ×** |");
});

test("what nobody measured has no table, and a peer that did not take part has an empty cell", () => {
  const text = report(resultsOf(measured(sends, "q", [{ perSecond: 10 }, { perSecond: 10 }])));
  expect(text).not.toContain("Memory");
  expect(text).toContain("| enqueue, 100 in flight | 10 (10 to 10) |  |");
});

test("a target says whether it was reached", () => {
  const target: Target = { workload: sends, metric: "perSecond", against: "bullmq", atLeast: 5 };
  const of = (own: number): Results =>
    resultsOf(
      [...measured(sends, "q", [{ perSecond: own }]), ...measured(sends, "bullmq", [{ perSecond: 10 }])],
      [target],
    );
  expect(report(of(50))).toContain("| BullMQ | at least 5 | 5.00 (5.00 to 5.00) | yes |");
  expect(report(of(49))).toContain("| at least 5 | 4.90 (4.90 to 4.90) | **no** |");
});

test("a target below a bound is q by the other, even where less is better", () => {
  const target: Target = { workload: drains, metric: "serverUs", against: "bullmq", atMost: 1 / 8 };
  const results = resultsOf([
    ...measured(drains, "q", [{ serverUs: 5 }]),
    ...measured(drains, "bullmq", [{ serverUs: 100 }]),
  ]);
  expect(reachedBy(results, target)).toEqual({ median: 0.05, min: 0.05, max: 0.05 });
  expect(reachedBy(results, { ...target, against: null })?.median).toBe(5);
});

test("a target that was not measured is left out", () => {
  const target: Target = { workload: drains, metric: "serverUs", against: "bullmq", atMost: 1 / 8 };
  expect(reachedBy(resultsOf([]), target)).toBeUndefined();
});

test("a whole life is the cost of sending and of running, of the same repeat", () => {
  const life = wholeLife([
    ...measured(sends, "q", [
      { commands: 1, serverUs: 10 },
      { commands: 2, serverUs: 20 },
    ]),
    ...measured(drains, "q", [{ commands: 0.5, serverUs: 1 }]),
    ...measured(drains, "bullmq", [{ commands: 9, serverUs: 9 }]),
  ]);
  expect(life).toEqual([
    { workload: "whole life", peer: "q", repeat: 0, count: 1000, sample: { commands: 1.5, serverUs: 11 } },
  ]);
});
