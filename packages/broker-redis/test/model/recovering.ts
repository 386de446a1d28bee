import { delay } from "./producing.ts";
import { hashOf, type QueueModel } from "./queue-model.ts";

/** How long a dead consumer is remembered. */
const graveMs = 3_600_000;
const crashesTtlMs = 259_200_000;

export interface Rhythm {
  readonly leaseMs: number;
  readonly silenceMs: number;
  readonly crashDelayMs: number;
}

/**
 * Gives back what a consumer held: to the heads of the lists, in the order in which it was claimed, before what landed.
 * @param crashDelayMs when it died: then the deaths are counted, of everything the first time, afterwards of what was started
 */
export function drain(model: QueueModel, id: string, crashDelayMs: number | undefined): number {
  const { state } = model;
  let moved = 0;
  for (const [list, ready] of state.ready.entries()) {
    const landed = state.landed.get(`${id}:${list}`) ?? [];
    state.landed.delete(`${id}:${list}`);
    ready.unshift(...landed);
    moved += landed.length;
  }
  // Those that were claimed last go back first.
  for (const [tag, bytes] of [...(state.held.get(id) ?? [])].toReversed()) {
    const list = Number(tag.split(":")[1]);
    const isStarted = state.started.get(id)?.has(tag) === true;
    const crashes = crashDelayMs === undefined ? 0 : countDeath(model, bytes, isStarted);
    if (crashDelayMs !== undefined && crashes > 1 && isStarted)
      delay(model, { list, text: bytes, ms: crashDelayMs * 2 ** (crashes - 2) });
    else state.ready[list]?.unshift(bytes);
    moved += 1;
  }
  state.held.delete(id);
  state.started.delete(id);
  return moved;
}

function countDeath(model: QueueModel, bytes: string, isStarted: boolean): number {
  const hash = hashOf(bytes);
  const crashes = model.state.crashes.get(hash) ?? 0;
  if (crashes > 0 && !isStarted) return crashes;
  model.state.crashes.set(hash, crashes + 1);
  model.setTime("crashes", crashesTtlMs);
  return crashes + 1;
}

/**
 * A beat. Nobody's lease has run out while Redis was away: that is when nobody was heard for longer than `silenceMs`, or its clock went back. But one that ran
 * out before has, when that is long enough ago.
 */
export function renew(
  model: QueueModel,
  { id, knownDead, leaseMs, silenceMs, crashDelayMs }: Rhythm & { id: string; knownDead: readonly string[] },
): { alive: boolean; recovered: number; consumers: string[] } {
  const { now, times } = model;
  const alive = model.hasLease(id);
  const last = model.timeOf("beat") ?? now;
  const wentBack = now < last - 1000;
  if (wentBack || now - last > silenceMs) model.setTime("grace", leaseMs);
  if (now - last > silenceMs)
    for (const one of model.inTurn("lease")) growOld(model, `lease ${one}`, { last, silenceMs });
  model.setTime("beat", 0);
  // A lease that ends later than a new one would is from before.
  for (const one of model.inTurn("lease"))
    if (wentBack && (model.timeOf(`lease ${one}`) ?? 0) >= now + leaseMs) model.setTime(`lease ${one}`, leaseMs);
  if (alive) model.setTime(`lease ${id}`, leaseMs);
  const latest = (model.timeOf("grace") ?? 0) > now ? now - 3 * leaseMs : now;
  const expired = model.inTurn("lease").filter((one) => (model.timeOf(`lease ${one}`) ?? Infinity) <= latest);
  const before = model.inTurn("grave");
  const buried = [...knownDead, ...expired].filter((one) => times.delete(`lease ${one}`)).toSorted();
  for (const one of buried) model.setTime(`grave ${one}`, graveMs);
  let recovered = 0;
  for (const one of [...before, ...buried]) {
    recovered += drain(model, one, crashDelayMs);
    if (model.isPast(`grave ${one}`)) times.delete(`grave ${one}`);
  }
  return { alive, recovered, consumers: model.inTurn("lease").toSorted() };
}

/** What ran out while nobody was heard has run out now. What ran out before is older by a beat. */
function growOld(
  model: QueueModel,
  lease: string,
  silence: { readonly last: number; readonly silenceMs: number },
): void {
  if (!model.isPast(lease)) return;
  const ended = model.timeOf(lease) ?? 0;
  const { last, silenceMs } = silence;
  model.setTime(lease, ended > last ? 0 : ended - last - 0.4 * silenceMs);
}
