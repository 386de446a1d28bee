import { expect } from "vitest";
import type { Census } from "./census.ts";
import { idOf, type QueueModel } from "./queue-model.ts";
import { allTexts, type QueueState } from "./queue-state.ts";

/** Redis reckons when a key ends by another look at the clock than a script does, and a busy machine may have been elsewhere in between. */
const ttlSlackMs = 5000;

/** Holds what is on the server against what must be there. The model learns the exact times. */
export function expectSame({ state, times }: Census, model: QueueModel): void {
  expect(idsIn(state), "every message that is not finished lies in one place").toEqual(model.unfinished);
  expect(unreachable(state, times), "who holds something has a lease or a grave").toEqual([]);
  expect(state).toEqual(model.state);
  expect([...times.keys()].toSorted()).toEqual([...model.times.keys()].toSorted());
  expect(mistimed(times, model)).toEqual([]);
  for (const [key, time] of times) model.times.set(key, [time, time]);
}

function idsIn(state: QueueState): string[] {
  return allTexts(state).map(idOf).toSorted();
}

/** Consumers that hold something, and nobody will look for it. */
function unreachable({ landed, held, started }: QueueState, times: Census["times"]): string[] {
  const holders = [...held.keys(), ...started.keys(), ...[...landed.keys()].map((key) => key.replace(/:\d$/, ""))];
  return holders.filter((id) => !times.has(`lease ${id}`) && !times.has(`grave ${id}`));
}

function mistimed(times: Census["times"], model: QueueModel): string[] {
  return [...times].flatMap(([key, time]) => {
    const [earliest, latest] = model.times.get(key) ?? [0, 0];
    const slackMs = /^(producer|once|crashes)/.test(key) ? ttlSlackMs : 0;
    const isRight = time >= earliest - slackMs && time <= latest + slackMs;
    return isRight ? [] : [`${key} is at ${time}, and not between ${earliest} and ${latest}`];
  });
}
