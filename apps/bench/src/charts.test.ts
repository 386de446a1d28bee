import { expect, test } from "vitest";
import { chartsOf } from "./charts.ts";
import type { Measurement, Results } from "./results.ts";

function resultsOf(measurements: readonly Omit<Measurement, "count">[]): Results {
  return {
    field: "amqp-quorum",
    date: "2030-01-02T03:04:05.000Z",
    isQuick: false,
    repeats: 3,
    machine: { processor: "a CPU", processors: 2, memoryGb: 8, system: "linux", node: "20", server: "S 1", load: 0 },
    peers: [
      { name: "q", title: "q", versions: {}, settings: {} },
      { name: "raw-amqplib", title: "raw amqplib", versions: {}, settings: {} },
    ],
    targets: [],
    measurements: measurements.map((measurement) => ({ ...measurement, count: 10 })),
  };
}

test("a chart holds the median of each peer, side by side", () => {
  const [chart, ...others] = chartsOf(
    resultsOf([
      ...[100, 900, 300].map((perSecond, repeat) => ({
        workload: "enqueue, bulk",
        peer: "q",
        repeat,
        sample: { perSecond, p50Us: 1 },
      })),
      ...[400, 100, 500].map((perSecond, repeat) => ({
        workload: "enqueue, bulk",
        peer: "raw-amqplib",
        repeat,
        sample: { perSecond },
      })),
      { workload: "start of a worker", peer: "q", repeat: 0, sample: { startMs: 400 } },
    ]),
  );
  expect(others).toEqual([]);
  expect(chart).toMatchObject({
    name: "enqueue",
    title: "Tasks sent per second: RabbitMQ, quorum queues",
    note: "more is better · median of 3, 2030-01-02 · each group has its own scale",
  });
  expect(chart?.groups).toEqual([
    {
      title: "enqueue, bulk",
      bars: [
        { label: "q", value: 300, isSubject: true },
        { label: "raw amqplib", value: 400, isSubject: false },
      ],
    },
  ]);
});

test("a chart says of how many repeats its medians are, not how many the run had", () => {
  const repeat = (number: number, peer: string) => ({
    workload: "worker processes: drain by 2",
    peer,
    repeat: number,
    sample: { perSecond: 1 },
  });
  const noteOf = (...measurements: readonly Omit<Measurement, "count">[]) => chartsOf(resultsOf(measurements))[0]?.note;
  expect(noteOf(repeat(0, "q"), repeat(1, "q"))).toContain("median of 2,");
  expect(noteOf(repeat(0, "q"), repeat(1, "q"), repeat(1, "raw-amqplib"))).toContain("median of 1 to 2,");
});

test("latencies have a group for each percentile, where less is better, and a peer without them has no bar", () => {
  const sample = { p50Us: 10, p95Us: 20, p99Us: 30, p999Us: 40 };
  const [chart] = chartsOf(resultsOf([{ workload: "latency of an idle worker", peer: "q", repeat: 0, sample }]));
  expect(chart?.note).toContain("less is better");
  expect(chart?.groups.map(({ title, bars }) => [title, bars.length, bars[0]?.value])).toEqual([
    ["latency of an idle worker, median", 1, 10],
    ["latency of an idle worker, 95th percentile", 1, 20],
    ["latency of an idle worker, 99th percentile", 1, 30],
  ]);
});

test("a peer that never recovers from the death of a worker has no bar there", () => {
  const died = { workload: "killed worker", repeat: 0 };
  const [chart] = chartsOf(
    resultsOf([
      { ...died, peer: "q", sample: { lost: 0, againMs: 30, recoveredMs: 90 } },
      { ...died, peer: "raw-amqplib", sample: { lost: 3, againMs: 40 } },
    ]),
  );
  expect(chart?.groups.map(({ bars }) => bars.map(({ value }) => value))).toEqual([[30, 40], [90]]);
});
