import { isInstalled } from "@q/test-servers";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { clientSteps } from "./model/client-steps.ts";
import { operatorSteps } from "./model/operator-steps.ts";
import { producerSteps } from "./model/producer-steps.ts";
import { idOf } from "./model/queue-model.ts";
import { emptyState } from "./model/queue-state.ts";
import { serverSteps } from "./model/server-steps.ts";
import { takeAll } from "./model/take-all.ts";
import { World } from "./model/world.ts";

// The scripts on a real Redis, against a model of what they promise. Every step may come at any time, from anybody, and twice. For long, with longer runs:
//   Q_MODEL_RUNS=2000 npm test -- --project broker-redis:process model.test
// What fails prints the seed of all of it and the least that still fails; Q_MODEL_SEED=<seed> does it again.
const runs = Number(process.env["Q_MODEL_RUNS"] ?? 300);
const seed = process.env["Q_MODEL_SEED"];
const isLong = runs > 300;

const anyStep = fc.oneof(...producerSteps, ...clientSteps, ...operatorSteps, ...serverSteps);
/** Half as many on average, of which those happen that can. */
const anySteps = fc.noBias(fc.commands([anyStep], { maxCommands: isLong ? 150 : 100, size: "max" }));

test(
  "a queue is as its model says, whatever happens to it, and can be emptied",
  async ({ skip }) => {
    skip(!isInstalled("gcc"), "no gcc here: apt-get install gcc libc6-dev");
    const world = await World.start();
    onTestFinished(() => world.stop());
    const everything = fc.asyncProperty(fc.boolean(), anySteps, async (priorities, steps) => {
      const model = await world.begin(priorities);
      await fc.asyncModelRun(() => ({ model, real: world }), steps);
      const { ids, left } = await takeAll(model, world);
      const { dead, counters } = left.state;
      const deadIds = [...dead.values()].map(({ text }) => idOf(text));
      expect([...ids, ...deadIds].toSorted(), "what was taken or is dead").toEqual(model.unfinished);
      expect(left.state).toEqual({ ...emptyState(), dead, counters });
    });
    await fc.assert(everything, { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) });
  },
  isLong ? runs * 1000 : 120_000,
);
