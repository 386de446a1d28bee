import type { Revived } from "../../src/scripts/redrive.ts";
import type { Counts } from "../../src/scripts/stats.ts";
import { bytesOf, type QueueModel } from "./queue-model.ts";

/** Puts dead letters back to the tails, those that are there, as new ones. */
export function redrive(model: QueueModel, letters: readonly Revived[]): number | "full" {
  const { state } = model;
  const found = letters.filter(({ entry }) => state.dead.has(entry));
  if (found.length > 0 && model.isFull) return "full";
  for (const { entry, list, text } of found) {
    state.ready[Math.min(list, model.lists - 1)]?.push(bytesOf(text));
    forgetLetter(model, entry);
  }
  return found.length;
}

export function drop(model: QueueModel, entries: readonly string[]): number {
  const found = entries.filter((entry) => model.state.dead.has(entry));
  for (const entry of found) {
    model.finish(model.state.dead.get(entry)?.text ?? "");
    forgetLetter(model, entry);
  }
  return found.length;
}

function forgetLetter({ state, times }: QueueModel, entry: string): void {
  state.dead.delete(entry);
  times.delete(`died ${entry}`);
}

/** Deletes all that waits, and nothing that is held or dead. */
export function purge(model: QueueModel): number {
  const { state, times } = model;
  const delayed = [...state.delayed.values()].map(({ text }) => text);
  const purged = [...state.ready.flat(), ...[...state.landed.values()].flat(), ...delayed];
  for (const bytes of purged) model.finish(bytes);
  for (const list of state.ready) list.length = 0;
  state.landed.clear();
  for (const number of state.delayed.keys()) times.delete(`due ${number}`);
  state.delayed.clear();
  return purged.length;
}

export function count(model: QueueModel): Omit<Counts, "now" | "dueForMs" | "next"> {
  const { state } = model;
  const due = model.inTurn("due").filter((number) => model.isPast(`due ${number}`)).length;
  const landed = [...state.landed.values()].flat().length;
  const alive = model.inTurn("lease").filter((id) => !model.isPast(`lease ${id}`));
  return {
    ready: state.ready.flat().length + landed + due,
    delayed: state.delayed.size - due,
    inFlight: [...state.held.values()].reduce((sum, { size }) => sum + size, 0),
    dead: state.dead.size,
    consumers: new Set(alive.map((id) => id.split("@")[1])).size,
    paused: state.paused,
  };
}

/** How many fields of its hash that changes. */
export function pause({ state, isFull }: QueueModel, paused: boolean): number | "full" {
  if (paused && isFull) return "full";
  const changes = state.paused === paused ? 0 : 1;
  state.paused = paused;
  return changes;
}
