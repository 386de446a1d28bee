import * as fc from "fast-check";
import { steps, type Step } from "./step.ts";
import { forever } from "./world.ts";

/** Now and then longer than a grave is kept, or than crashes are remembered; and back. */
const jumps = fc.constantFrom(1, 1, 1, 2, 3, 5, 40, forever, -1, -3, -40);

const clock = steps("clock", jumps, (model, ticks) => ({
  real: async (world) => world.jump(ticks),
  model: () => {
    model.since = model.now;
  },
}));

const memory = steps("memory", fc.constantFrom("free", "free", "full"), (model, state) => ({
  real: (world) => world.setFull(state === "full"),
  model: () => {
    model.isFull = state === "full";
  },
}));

/** As after a restart: it knows no script any more. */
const flush = steps("flush", fc.constant("scripts"), () => ({
  real: async ({ connection }) => connection.call("script", "flush"),
  model: () => "OK",
}));

/** Whatever happens to the server. */
export const serverSteps: readonly fc.WeightedArbitrary<Step>[] = [
  { weight: 2, arbitrary: clock },
  { weight: 3, arbitrary: memory },
  { weight: 1, arbitrary: flush },
];
