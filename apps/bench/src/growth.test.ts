import { expect, test } from "vitest";
import { growthName, levelName } from "./growth-level.ts";
import { growthOf } from "./growth.ts";

const sent = { peer: "q", repeat: 0, count: 10 };
const few = { ...sent, workload: levelName("enqueue", 1000), sample: { clientUs: 8, serverUs: 2, perSecond: 5 } };
const many = { ...sent, workload: levelName("enqueue", 1_000_000), sample: { clientUs: 9, serverUs: 3, perSecond: 4 } };

test("growth is the CPU of a task on both sides, by that with few pending", () => {
  const growth = { ...sent, workload: growthName("enqueue", 1_000_000), sample: { growth: 1.2 } };
  expect(growthOf([few, many])).toEqual([growth]);
});

test("what was not measured with few pending, by the same peer in the same repeat, has no growth", () => {
  const drained = { ...few, workload: levelName("drain", 1000) };
  for (const other of [drained, { ...few, repeat: 1 }, { ...few, peer: "bullmq" }]) {
    expect(growthOf([other, many])).toEqual([]);
  }
});

test("where the server does not tell its CPU, growth is that of the client", () => {
  const ofClient = [few, many].map((one) => ({ ...one, sample: { clientUs: one.sample.clientUs } }));
  expect(growthOf(ofClient).map(({ sample }) => sample)).toEqual([{ growth: 9 / 8 }]);
});
