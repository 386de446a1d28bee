import type { MetricKey, Sample } from "./metrics.ts";
import type { Measurement } from "./results.ts";

const parts = ["enqueue, 100 in flight", "drain, concurrency 100"] as const;

/** What a task costs the server from its send to its end, by peer and repeat, where both were measured. */
export function wholeLife(measurements: readonly Measurement[]): readonly Measurement[] {
  const [sends, drains] = parts.map((part) => measurements.filter(({ workload }) => workload === part));
  return (sends ?? []).flatMap((send) => {
    const drain = drains?.find(({ peer, repeat }) => peer === send.peer && repeat === send.repeat);
    if (drain === undefined) return [];
    const sample: Sample = { ...sumOf("commands", send, drain), ...sumOf("serverUs", send, drain) };
    return [{ ...send, workload: "whole life", sample }];
  });
}

/** Nothing where one of them has not measured it. */
function sumOf(key: MetricKey, { sample: one }: Measurement, { sample: other }: Measurement): Sample {
  const [first, second] = [one[key], other[key]];
  return first === undefined || second === undefined ? {} : { [key]: first + second };
}
