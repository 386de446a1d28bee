import * as fc from "fast-check";
import { drop } from "../../src/scripts/drop.ts";
import { purge } from "../../src/scripts/purge.ts";
import { redrive } from "../../src/scripts/redrive.ts";
import { stats } from "../../src/scripts/stats.ts";
import * as operating from "./operating.ts";
import { idOf, type QueueModel } from "./queue-model.ts";
import { steps, type Step } from "./step.ts";

const pausing = steps("queue", fc.constantFrom("goes on", "goes on", "pauses"), (model, does) => ({
  real: ({ connection, keys, unlessFull }) =>
    does === "pauses"
      ? unlessFull(connection.call("hset", keys.meta, "paused", 1))
      : connection.call("hdel", keys.meta, "paused"),
  model: () => operating.pause(model, does === "pauses"),
}));

const picks = fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 });

/** Entries, some of which may be gone by now. */
function entriesOf({ state }: QueueModel, picked: readonly number[]): string[] {
  const { dead } = state.counters;
  return picked.filter((nth) => nth < dead).map((nth) => String(dead - nth).padStart(16, "0"));
}

const redriving = steps("redrive", picks, (model, picked) => {
  const letters = entriesOf(model, picked).map((entry) => {
    const { list = 0, text = "" } = model.state.dead.get(entry) ?? {};
    return { entry, list, text: `${idOf(text)} revived ${Number(entry)}` };
  });
  if (letters.length === 0) return undefined;
  return {
    real: ({ connection, keys, unlessFull }) => unlessFull(redrive(connection, keys, letters)),
    model: () => operating.redrive(model, letters),
  };
});

const dropping = steps("drop", picks, (model, picked) => {
  const entries = entriesOf(model, picked);
  if (entries.length === 0) return undefined;
  return {
    real: ({ connection, keys }) => drop(connection, keys, entries),
    model: () => operating.drop(model, entries),
  };
});

const purging = steps("purge", fc.constant("all"), (model) => ({
  real: ({ connection, keys }) => purge(connection, keys),
  model: () => operating.purge(model),
}));

const counting = steps("stats", fc.constant("of it"), (model) => ({
  real: async ({ connection, keys }) => {
    const { ready, delayed, inFlight, dead, consumers, paused } = await stats(connection, keys);
    return { ready, delayed, inFlight, dead, consumers, paused };
  },
  model: () => operating.count(model),
}));

/** Whatever operators do. */
export const operatorSteps: readonly fc.WeightedArbitrary<Step>[] = [
  { weight: 3, arbitrary: pausing },
  { weight: 4, arbitrary: redriving },
  { weight: 2, arbitrary: dropping },
  { weight: 1, arbitrary: purging },
  { weight: 2, arbitrary: counting },
];
