import { tickToleranceMs, type JsonValue } from "@q/core/broker";
import type { ScheduleRequest } from "./schedule-request.ts";
import {
  listOf,
  rowOf,
  withChange,
  withoutSchedule,
  withSchedule,
  withTick,
  type ScheduleState,
} from "./schedule-state.ts";

/** What a request comes to. */
export interface ScheduleChange {
  readonly answer: JsonValue;
  /** To be stored before it is answered; `null` when nothing changes. */
  readonly state: ScheduleState | null;
}

export interface ChangeContext {
  readonly state: ScheduleState;
  /** Of the request: a change that was made under it is not made again. */
  readonly id: string;
  readonly nowMs: number;
  /** What marks the message of a tick, when another one of it may turn up; otherwise `null`. */
  readonly copy: string | null;
}

/** Decides on a request. Pure. A tick is `fired` once its message and the state are stored. */
export function changeFor(request: ScheduleRequest, { state, id, nowMs, copy }: ChangeContext): ScheduleChange {
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
    return { answer: "fired", state: withTick(state, name, at, copy) };
  }
  if (request.kind === "counts") {
    const { at } = request;
    const rival = known?.counted.find((one) => one.at === at);
    if (rival !== undefined) return same(rival.copy === request.copy);
    // Sent by a keeper that died before it could say so: then it was the tick. No message, whoever sent it, ends what lies ahead.
    const isUnrecorded = lastTick !== null && lastTick < at && at <= nowMs + tickToleranceMs;
    return isUnrecorded ? { answer: true, state: withTick(state, name, at, request.copy) } : same(true);
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
