import type { DeadReason, Settled } from "@q/core/broker";
import { tagOf, type Held } from "../../src/scripts/claim.ts";
import { textOrBytes } from "../../src/scripts/packed.ts";
import type { Retention, SettleAnswer, SettleBatch } from "../../src/scripts/settle.ts";
import { delay, numbered } from "./producing.ts";
import { bytesOf, hashOf, textOf, type QueueModel } from "./queue-model.ts";
import { drain } from "./recovering.ts";

/** How long it is remembered who has left. */
const leftMs = 60_000;

export function enter(model: QueueModel, id: string, leaseMs: number): void {
  model.setTime(`lease ${id}`, leaseMs);
}

/** What is due is made ready first. What landed comes before the list it is from; what is too much goes back to the head, in its order. */
export function claim(
  model: QueueModel,
  id: string,
  most: number,
): { held: Held[]; paused: boolean; nextDueAt: number | undefined } | undefined {
  if (!model.hasLease(id)) return undefined;
  const { state } = model;
  if (!state.paused) promote(model);
  const want = state.paused ? 0 : most;
  const taken: { list: number; bytes: string }[] = [];
  for (let list = 0; list < model.lists; list += 1) {
    const ready = state.ready[list] ?? [];
    ready.unshift(...(state.landed.get(`${id}:${list}`) ?? []));
    state.landed.delete(`${id}:${list}`);
    for (const bytes of ready.splice(0, want - taken.length)) taken.push({ list, bytes });
  }
  const holds = state.held.get(id) ?? new Map<string, string>();
  const held = taken.map(({ list, bytes }) => {
    const fence = (state.counters.tag += 1);
    holds.set(`${fence}:${list}`, bytes);
    return heldOf(model, `${fence}:${list}`, bytes);
  });
  if (holds.size > 0) state.held.set(id, holds);
  const [next] = model.inTurn("due");
  return { held, paused: state.paused, nextDueAt: next === undefined ? undefined : model.timeOf(`due ${next}`) };
}

/** What landed and what is behind it, if anything has landed. Without a lease it goes back. */
export function takeLanded(
  model: QueueModel,
  { id, list, most }: { readonly id: string; readonly list: number; readonly most: number },
): { held: Held[]; ready: number } | undefined {
  const { state } = model;
  const ready = state.ready[list] ?? [];
  const landed = state.landed.get(`${id}:${list}`) ?? [];
  state.landed.delete(`${id}:${list}`);
  ready.unshift(...landed);
  if (!model.hasLease(id)) return undefined;
  const taken = state.paused || landed.length === 0 ? [] : ready.splice(0, most);
  const holds = state.held.get(id) ?? new Map<string, string>();
  const held = taken.map((bytes) => {
    const tag = `${(state.counters.tag += 1)}:${list}`;
    holds.set(tag, bytes);
    return heldOf(model, tag, bytes);
  });
  if (holds.size > 0) state.held.set(id, holds);
  return { held, ready: ready.length };
}

function promote(model: QueueModel): void {
  const { state, times } = model;
  for (const number of model.inTurn("due").filter((one) => model.isPast(`due ${one}`))) {
    const { list = 0, text = "" } = state.delayed.get(number) ?? {};
    state.delayed.delete(number);
    times.delete(`due ${number}`);
    state.ready[Math.min(list, model.lists - 1)]?.push(text);
  }
}

function heldOf({ state }: QueueModel, tag: string, bytes: string): Held {
  const [fence = 0, list = 0] = tag.split(":").map(Number);
  return {
    fence,
    list,
    text: textOrBytes(Buffer.from(bytes, "latin1")),
    crashes: state.crashes.get(hashOf(bytes)) ?? 0,
  };
}

/** What a consumer holds and does not know of, the oldest first. */
export function adopt(
  model: QueueModel,
  consumer: { readonly id: string; readonly most: number; readonly known: ReadonlySet<number> },
): Held[] | undefined {
  if (!model.hasLease(consumer.id)) return undefined;
  const held = [...(model.state.held.get(consumer.id) ?? [])].map(([tag, bytes]) => heldOf(model, tag, bytes));
  return held.filter(({ fence }) => !consumer.known.has(fence)).slice(0, consumer.most);
}

/** All of it or, without a lease, nothing. */
export function settle(model: QueueModel, batch: SettleBatch): SettleAnswer | undefined {
  const { state } = model;
  const { consumerId: id, retention } = batch;
  if (!model.hasLease(id)) return undefined;
  for (const ack of batch.acks) {
    const bytes = letGo(model, id, tagOf(ack));
    if (bytes !== undefined) model.finish(bytes);
  }
  let trimmed = 0;
  const endings = batch.endings.map((ending): Settled => {
    if (ending.kind === "start") return start(model, id, tagOf(ending));
    const bytes = letGo(model, id, tagOf(ending));
    if (bytes === undefined) return "lost";
    mark(model, id, tagOf(ending), false);
    if (ending.kind !== "release") forgive(model, bytes);
    const { list } = ending;
    if (ending.kind === "release") state.ready[list]?.unshift(bytes);
    else if (ending.kind === "bury") trimmed += bury(model, { list, bytes, reason: ending.reason, retention });
    else if (ending.kind === "requeue") requeue(model, ending, bytes);
    else model.finish(bytes);
    return "settled";
  });
  return { endings, trimmed, dead: endings.length > 0 ? state.dead.size : 0 };
}

function requeue(
  model: QueueModel,
  { list, delayMs, text }: { readonly list: number; readonly delayMs: number; readonly text: string },
  stored: string,
): void {
  const bytes = text === "" ? stored : bytesOf(text);
  if (delayMs === 0) model.state.ready[list]?.push(bytes);
  else delay(model, { list, text: bytes, ms: delayMs + 1 });
}

function letGo({ state }: QueueModel, id: string, tag: string): string | undefined {
  const holds = state.held.get(id);
  const bytes = holds?.get(tag);
  holds?.delete(tag);
  if (holds?.size === 0) state.held.delete(id);
  return bytes;
}

function start(model: QueueModel, id: string, tag: string): Settled {
  const isHeld = model.state.held.get(id)?.has(tag) === true;
  if (isHeld) mark(model, id, tag, true);
  return isHeld ? "settled" : "lost";
}

function mark({ state }: QueueModel, id: string, tag: string, isStarted: boolean): void {
  const marks = state.started.get(id) ?? new Set<string>();
  if (isStarted) marks.add(tag);
  else marks.delete(tag);
  if (marks.size > 0) state.started.set(id, marks);
  else state.started.delete(id);
}

/** Its crashes are forgotten: it came out of a worker alive. */
function forgive({ state, times }: QueueModel, bytes: string): void {
  state.crashes.delete(hashOf(bytes));
  if (state.crashes.size === 0) times.delete("crashes");
}

function bury(
  model: QueueModel,
  letter: {
    readonly list: number;
    readonly bytes: string;
    readonly reason: DeadReason;
    readonly retention: Retention;
  },
): number {
  const { state, times } = model;
  const { list, bytes, reason, retention } = letter;
  const entry = numbered((state.counters.dead += 1));
  state.dead.set(entry, { list, reason: bytesOf(JSON.stringify(reason)), text: bytes });
  model.setTime(`died ${entry}`, 0);
  const inTurn = model.inTurn("died");
  const tooOld = inTurn.filter((one) => (model.timeOf(`died ${one}`) ?? 0) <= model.now - retention.maxAgeMs);
  const tooMany = inTurn.slice(0, Math.max(0, inTurn.length - retention.maxCount));
  const old = tooOld.length > 0 ? tooOld : tooMany;
  for (const one of old) {
    model.finish(state.dead.get(one)?.text ?? "");
    state.dead.delete(one);
    times.delete(`died ${one}`);
  }
  return old.length;
}

/** Gives everything back to the heads of the lists, uncounted, and ends the lease. */
export function leave(model: QueueModel, id: string): void {
  drain(model, id, undefined);
  if (model.times.delete(`lease ${id}`)) model.setTime(`grave ${id}`, leftMs);
}

/** What Redis does for a wait that a message ends. */
export function land(
  { state, isFull }: QueueModel,
  { id, list }: { readonly id: string; readonly list: number },
): string | null {
  if (isFull) return "full";
  const bytes = state.ready[list]?.shift();
  if (bytes === undefined) return null;
  const key = `${id}:${list}`;
  state.landed.set(key, [...(state.landed.get(key) ?? []), bytes]);
  return textOf(bytes);
}
