import { tickToleranceMs, type JsonValue } from "@q/core/broker";
import type { ScheduleRequest } from "./schedule-request.ts";
import { listOf, rowOf, withChange, withoutSchedule, withSchedule, type ScheduleState } from "./schedule-state.ts";

/** What a request comes to. */
export interface ScheduleChange {
  readonly answer: JsonValue;
  /** To be stored before it is answered; `null` when nothing changes. */
  readonly state: ScheduleState | null;
}

/**
 * Decides on a request. Pure. A tick is `fired` once its message and the state are stored.
 * @param id of the request: a change that was made under it is not made again
 */
export function changeFor(
  request: ScheduleRequest,
  { state, id, nowMs }: { readonly state: ScheduleState; readonly id: string; readonly nowMs: number },
): ScheduleChange {
  const same = (answer: JsonValue): ScheduleChange => ({ answer, state: null });
  if (request.kind === "now") return same(nowMs);
  if (request.kind === "list") return same(listOf(state).map(rowOf));
  const { name } = request;
  const known = state.schedules.get(name);
  const lastTick = known?.lastTick ?? null;
  if (request.kind === "fire") {
    const { at, isStored } = request;
    if (isStored && (known === undefined || known.entry === null)) return same("gone");
    if (known?.paused === true) return same("paused");
    if (lastTick !== null && lastTick >= at) return same("already");
    if (at > nowMs + tickToleranceMs) return same("early");
    return { answer: "fired", state: withSchedule(state, name, { lastTick: at }) };
  }
  if (state.changes.includes(id)) return same(true);
  const changed = (next: ScheduleState): ScheduleChange => ({ answer: true, state: withChange(next, id) });
  switch (request.kind) {
    case "begin":
      return lastTick === null ? changed(withSchedule(state, name, { lastTick: request.at })) : same(false);
    case "put":
      return changed(withSchedule(state, name, { entry: request.entry }));
    case "remove":
      return known === undefined ? same(false) : changed(withoutSchedule(state, name));
    case "pause":
      return changed(withSchedule(state, name, { paused: request.paused }));
  }
}
