import { expect, test } from "vitest";
import { changeFor } from "./schedule-change.ts";
import type { ScheduleRequest } from "./schedule-request.ts";
import { noState, withSchedule, type ScheduleState } from "./schedule-state.ts";

const nowMs = 10_000;

function ask(request: ScheduleRequest, state: ScheduleState, copy: string | null = null) {
  const change = changeFor(request, { state, id: "id", nowMs, copy });
  return { answer: change.answer, state: change.state ?? state };
}

const fire = { kind: "fire", name: "a", isStored: false, priorities: false, message: null } as const;
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
    { ...fire, at: 5000 },
    { ...fire, at: nowMs + 501 },
    { ...fire, name: "b", at: 6000, isStored: true },
    { kind: "counts", name: "a", at: 5000, copy: "x" },
    { kind: "counts", name: "a", at: nowMs + 501, copy: "x" },
    { kind: "counts", name: "b", at: 6000, copy: "x" },
  ] as const)
    expect(changeFor(request, { state: known, id: "id", nowMs, copy: null }).state).toBe(null);
});

test("of two messages of a tick the one that was recorded counts, whenever it is asked for", () => {
  const { state } = ask({ ...fire, at: 6000 }, known, "second");
  const later = ask({ ...fire, at: 7000 }, state).state;
  for (const now of [state, later]) {
    expect(ask({ kind: "counts", name: "a", at: 6000, copy: "" }, now)).toEqual({ answer: false, state: now });
    expect(ask({ kind: "counts", name: "a", at: 6000, copy: "second" }, now)).toEqual({ answer: true, state: now });
  }
});

test("a message whose tick is not recorded yet was that tick: it is not sent again", () => {
  const { answer, state } = ask({ kind: "counts", name: "a", at: 6000, copy: "first" }, known);
  expect(answer).toBe(true);
  expect(ask({ ...fire, at: 6000 }, state, "second").answer).toBe("already");
  expect(ask({ kind: "counts", name: "a", at: 6000, copy: "first" }, state).answer).toBe(true);
});

test("no message makes ticks that lie ahead count as sent", () => {
  const { answer, state } = ask({ kind: "counts", name: "a", at: nowMs * 1000, copy: "forged" }, known);
  expect(answer).toBe(true);
  expect(ask({ ...fire, at: nowMs }, state).answer).toBe("fired");
});
