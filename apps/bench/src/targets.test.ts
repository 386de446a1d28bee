import { expect, test } from "vitest";
import { fieldNames } from "./field-name.ts";
import { growthLevels, growthName, levelName, whats } from "./growth-level.ts";
import { metrics } from "./metrics.ts";
import { peerNames, subject } from "./peers.ts";
import { targets } from "./targets.ts";
import { workloads } from "./workloads.ts";

test.each(fieldNames)("every target of %s is about something that is measured there", (field) => {
  const names = workloads[field].map(({ name }) => name);
  const growths = growthLevels.flatMap((pending) =>
    whats.filter((what) => names.includes(levelName(what, pending))).map((what) => growthName(what, pending)),
  );
  const measured = new Set([...names, "whole life", ...growths]);
  const peers = new Set<string | null>([...peerNames(field).filter((peer) => peer !== subject), null]);
  for (const { workload, metric, against, atLeast, atMost } of targets[field]) {
    expect(measured).toContain(workload);
    expect(peers).toContain(against);
    expect(metrics.map(({ key }) => key)).toContain(metric);
    expect([atLeast, atMost].filter((bound) => bound !== undefined)).toHaveLength(1);
  }
});

test("every peer that a workload names is there, on some field", () => {
  const named = fieldNames.flatMap((field) => workloads[field].flatMap(({ peers }) => peers ?? []));
  expect(fieldNames.flatMap(peerNames)).toEqual(expect.arrayContaining(named));
});
