import type { ListedSchedule, Schedule, Timing } from "@q/core";
import { dueTicks, type DueTicks } from "./misfire.ts";

/** A schedule that this process looks after, and how far it has come. */
export class Track {
  readonly schedule: Schedule;
  readonly timing: Timing;
  paused: boolean;
  /** Its ticks are being sent right now. */
  isBusy = false;
  /** Not to be looked at before. Monotonic milliseconds. */
  restsUntil = 0;
  failures = 0;
  #lastTick: number;
  #dueAt: number | undefined;

  constructor(schedule: Schedule, timing: Timing, state: { readonly lastTick: number; readonly paused: boolean }) {
    this.schedule = schedule;
    this.timing = timing;
    this.#lastTick = state.lastTick;
    this.paused = state.paused;
  }

  /** Ticks up to here need no thought. Epoch milliseconds. */
  get lastTick(): number {
    return this.#lastTick;
  }

  set lastTick(at: number) {
    if (at === this.#lastTick) return;
    this.#lastTick = at;
    this.#dueAt = undefined;
  }

  /** When the tick after the last one is to be sent, epoch milliseconds; `Infinity` when there is none any more. */
  get dueAt(): number {
    this.#dueAt ??= (this.timing.next(this.#lastTick) ?? Infinity) + this.schedule.offsetMs;
    return this.#dueAt;
  }

  /** Takes over what the broker remembers, which is the truth: also when it has forgotten, as after a failover. */
  follow({ lastTick, paused }: Pick<ListedSchedule, "lastTick" | "paused">): void {
    if (this.isBusy) return;
    this.paused = paused;
    if (lastTick !== null) this.lastTick = lastTick;
  }

  due(nowMs: number): DueTicks {
    return dueTicks(this.schedule, this.timing, { lastTick: this.lastTick, nowMs });
  }

  /** When the next tick that is still to come is to be sent; `null` when there is none. */
  nextAt(nowMs: number): number | null {
    const { offsetMs } = this.schedule;
    const at = this.timing.next(Math.max(this.lastTick, nowMs - offsetMs));
    return at === null ? null : at + offsetMs;
  }
}
