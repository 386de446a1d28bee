import { expect, test } from "vitest";
import { changeFor } from "./schedule-change.ts";
import type { ScheduleRequest } from "./schedule-request.ts";
import { noState, withSchedule, type ScheduleState } from "./schedule-state.ts";

const nowMs = 10_000;

function ask(request: ScheduleRequest, state: ScheduleState) {
  const change = changeFor(request, { state, id: "id", nowMs });
  return { answer: change.answer, state: change.state ?? state };
}

const known = withSchedule(noState("one"), "a", { lastTick: 5000, entry: { every: "1s" } });

test.each<ScheduleRequest>([
  { kind: "remove", name: "a" },
  { kind: "put", name: "a", entry: { every: "2s" } },
  { kind: "pause", name: "a", paused: true },
  { kind: "begin", name: "b", at: 1000 },
])("a change that is asked for again under its id is made once: %j", (request) => {
  const once = ask(request, known);
  const undone = withSchedule(once.state, "a", { lastTick: 5000, paused: false, entry: { every: "3s" } });
  expect(ask(request, undone)).toEqual({ answer: once.answer, state: undone });
});

test("what changes nothing is not stored", () => {
  for (const request of [
    { kind: "now" },
    { kind: "list" },
    { kind: "begin", name: "a", at: 1 },
    { kind: "remove", name: "b" },
    { kind: "fire", name: "a", at: 5000, isStored: false, priorities: false, message: null },
    { kind: "fire", name: "a", at: nowMs + 501, isStored: false, priorities: false, message: null },
    { kind: "fire", name: "b", at: 6000, isStored: true, priorities: false, message: null },
  ] as const)
    expect(changeFor(request, { state: known, id: "id", nowMs }).state).toBe(null);
});
