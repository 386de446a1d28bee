import { expect, test } from "vitest";
import { fieldNames } from "./field-name.ts";
import { metrics } from "./metrics.ts";
import { peerNames, subject } from "./peers.ts";
import { targets } from "./targets.ts";
import { workloads } from "./workloads.ts";

test.each(fieldNames)("every target of %s is about something that is measured there", (field) => {
  const measured = new Set([...workloads[field].map(({ name }) => name), "whole life"]);
  const peers = new Set<string | null>([...peerNames(field).filter((peer) => peer !== subject), null]);
  for (const { workload, metric, against, atLeast, atMost } of targets[field]) {
    expect(measured).toContain(workload);
    expect(peers).toContain(against);
    expect(metrics.map(({ key }) => key)).toContain(metric);
    expect([atLeast, atMost].filter((bound) => bound !== undefined)).toHaveLength(1);
  }
});
