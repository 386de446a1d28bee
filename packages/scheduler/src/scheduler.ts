import type { App, ListedSchedule } from "@q/core";
import { sleep, systemClock, type Clock, type TickAnswer } from "@q/core/broker";
import { BrokerTime } from "./broker-time.ts";
import type { NextTick, SchedulerEvent } from "./scheduler-event.ts";
import { Track } from "./track.ts";

export interface SchedulerOptions {
  /** Hears of what happens. Must be quick and must not throw. Default: nobody. */
  readonly onEvent?: (event: SchedulerEvent) => void;
  /** Says which ticks it would send, and sends and records nothing. Default false. */
  readonly dryRun?: boolean;
  /** Default: the machine's. For tests. */
  readonly clock?: Clock;
}

/**
 * Longest sleep: a clock that was set, a machine that woke up, and schedules that were made or changed elsewhere are noticed at the latest
 * then. Milliseconds.
 */
const longestSleepMs = 10_000;
const shortestRestMs = 250;
const longestRestMs = 10_000;
/** Until a process asks again whether it leads now, where one process does. */
const standbyRestMs = 1000;
const longestStopMs = 10_000;

/**
 * Sends the ticks of an app's schedules. Any number of them may run: the broker records each tick with its message in one step, so that one of
 * them sends it. Each one works alone and keeps nothing that would be missed when it dies.
 *
 * | state of a schedule | goes on when |
 * |---|---|
 * | waits | its next tick is due by the broker's clock |
 * | busy | the broker has answered for each due tick |
 * | rests, after an error | the pause is over, which doubles with each error in a row |
 * | paused, gone, with a problem | a look at the broker, every 10 s, shows it changed |
 */
export class Scheduler {
  readonly #app: App;
  readonly #clock: Clock;
  readonly #dryRun: boolean;
  readonly #emit: (event: SchedulerEvent) => void;
  readonly #time: BrokerTime;
  readonly #stopping = new AbortController();
  #tracks = new Map<string, Track>();
  /** Problems that were told of, by schedule. */
  #told = new Map<string, string>();
  /** Monotonic milliseconds of the last look at the broker. */
  #lookedAt = -Infinity;
  #isReachable = true;
  #wake = new AbortController();
  #working = new Set<Promise<void>>();
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(app: App, options: SchedulerOptions = {}) {
    this.#app = app;
    this.#clock = options.clock ?? systemClock;
    this.#dryRun = options.dryRun ?? false;
    this.#emit = options.onEvent ?? (() => undefined);
    this.#time = new BrokerTime(this.#clock, () => app.schedules.now());
  }

  /** The ticks that come next, the first one first. */
  get next(): readonly NextTick[] {
    const nowMs = this.#time.now();
    const found: NextTick[] = [];
    for (const [name, track] of this.#tracks) {
      const at = track.paused ? null : track.nextAt(nowMs);
      if (at !== null) found.push({ name, at });
    }
    return found.toSorted((a, b) => a.at - b.at);
  }

  /** How many schedules it looks after. */
  get size(): number {
    return this.#tracks.size;
  }

  /** Whether the broker answered when it was last asked. */
  get isReachable(): boolean {
    return this.#isReachable;
  }

  /**
   * Begins to send ticks. The app's tasks must be loaded. A second call waits with the first. One that was stopped sends none.
   * @throws ConfigError the first problem of a schedule of `createApp`, `Q2032` when the broker cannot do it; BrokerError
   */
  async start(): Promise<void> {
    if (!(await this.#begin())) return;
    this.#running ??= this.#run();
    this.#emit({ type: "scheduler.ready", schedules: this.#tracks.size, next: this.next[0] ?? null });
  }

  /**
   * Sends what is due now, and ends.
   * @throws as `start`, and what keeps a tick from being sent
   */
  async once(): Promise<void> {
    if (!(await this.#begin())) return;
    let failure: { readonly error: unknown } | undefined;
    for (const track of this.#tracks.values()) {
      if (!track.paused) await this.#send(track).catch((error: unknown) => (failure ??= { error }));
    }
    if (failure !== undefined) throw failure.error;
  }

  /** Ends it, once the ticks that are being sent are. May be called twice, and before `start`. Never throws. */
  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    this.#stopping.abort();
    this.#wake.abort();
    await this.#running;
    const over = new AbortController();
    await Promise.race([Promise.all(this.#working), sleep(this.#clock, longestStopMs, over.signal)]);
    over.abort();
    if (this.#running !== undefined) this.#emit({ type: "scheduler.stopped" });
  }

  /** `false` when it was stopped meanwhile, and its app maybe closed. */
  async #begin(): Promise<boolean> {
    const { signal } = this.#stopping;
    for (const { problem } of await this.#app.schedules.check()) if (problem !== null) throw problem;
    if (signal.aborted) return false;
    try {
      await this.#app.open();
      if (!signal.aborted) await this.#look();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return !signal.aborted;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // Before the round: what ends during it must not be slept through.
      const wake = new AbortController();
      this.#wake = wake;
      const sleepMs = await this.#round();
      if (!signal.aborted) await sleep(this.#clock, sleepMs, wake.signal);
    }
  }

  /** Sends what is due; answers how long nothing will be. */
  async #round(): Promise<number> {
    const lookIn = this.#lookedAt + longestSleepMs - this.#clock.monotonic();
    if (lookIn <= 0 || this.#time.isOld) await this.#tryToLook();
    const nowMs = this.#time.now();
    let sleepMs = longestSleepMs;
    for (const track of this.#tracks.values()) {
      if (track.isBusy || track.paused) continue;
      const restMs = track.restsUntil - this.#clock.monotonic();
      if (restMs > 0) {
        sleepMs = Math.min(sleepMs, restMs);
        continue;
      }
      const leftMs = track.dueAt - nowMs;
      if (leftMs <= 0) this.#work(track);
      else sleepMs = Math.min(sleepMs, leftMs);
    }
    return Math.max(1, sleepMs);
  }

  #work(track: Track): void {
    track.isBusy = true;
    const work = this.#send(track)
      .then(
        () => (track.failures = 0),
        (error: unknown) => this.#rest(track, error),
      )
      .then(() => {
        track.isBusy = false;
        this.#working.delete(work);
        this.#wake.abort();
      });
    this.#working.add(work);
  }

  /** Sends the due ticks of one schedule, oldest first. */
  async #send(track: Track): Promise<void> {
    const { schedule } = track;
    const nowMs = this.#time.now();
    const { fire, record, skipped, hasMore } = track.due(nowMs);
    let isFirst = true;
    for (const at of record === null ? fire : [record]) {
      const answer = await this.#answer(track, at, record === null);
      if (answer === "fired" && record === null) {
        const type = this.#dryRun ? "schedule.due" : "schedule.fired";
        const { name, task, offsetMs } = schedule;
        this.#emit({ type, name, task, at, lateMs: Math.max(0, this.#time.now() - at - offsetMs) });
      }
      if (answer === "fired" && isFirst && skipped > 0) {
        // With the first that is sent, or the one that is recorded in their place, all before it are over.
        const until = record ?? at;
        this.#emit({ type: "schedule.skipped", name: schedule.name, count: skipped, hasMore, until });
      }
      isFirst = false;
      if (!this.#goesOn(track, at, answer)) return;
    }
  }

  async #answer(track: Track, at: number, isSent: boolean): Promise<TickAnswer> {
    if (this.#dryRun) return "fired";
    const { schedules } = this.#app;
    return await (isSent ? schedules.fire(track.schedule, at, this.#time.now()) : schedules.skip(track.schedule, at));
  }

  /** Whether the next tick of this schedule may be sent. */
  #goesOn(track: Track, at: number, answer: TickAnswer): boolean {
    const now = this.#clock.monotonic();
    switch (answer) {
      case "fired":
      case "already":
        track.lastTick = Math.max(track.lastTick, at);
        return true;
      case "paused":
        track.paused = true;
        return false;
      case "gone":
        this.#tracks.delete(track.schedule.name);
        return false;
      case "early":
        // Our notion of the broker's time is wrong.
        this.#lookedAt = -Infinity;
        track.restsUntil = now + shortestRestMs;
        return false;
      case "standby":
        // Whoever leads has sent ticks meanwhile: they are to be known before this one sends any.
        this.#lookedAt = -Infinity;
        track.restsUntil = now + standbyRestMs;
        return false;
    }
  }

  #rest(track: Track, error: unknown): void {
    track.restsUntil = this.#clock.monotonic() + Math.min(longestRestMs, shortestRestMs * 2 ** track.failures);
    track.failures += 1;
    // The first of a row: the others would say the same.
    if (track.failures === 1) this.#emit({ type: "schedule.failed", name: track.schedule.name, error });
  }

  async #tryToLook(): Promise<void> {
    try {
      await this.#look();
      this.#isReachable = true;
    } catch (error) {
      // Not again before the next round; what is known goes on.
      this.#lookedAt = this.#clock.monotonic();
      if (this.#isReachable) this.#emit({ type: "scheduler.unreachable", error });
      this.#isReachable = false;
    }
  }

  /** Asks the broker for its time and for all schedules. */
  async #look(): Promise<void> {
    await this.#time.look();
    const nowMs = this.#time.now();
    const listed = await this.#app.schedules.list();
    const tracks = new Map<string, Track>();
    for (const one of listed) {
      const track = await this.#follow(one, nowMs);
      if (track !== undefined) tracks.set(one.name, track);
    }
    this.#tracks = tracks;
    this.#lookedAt = this.#clock.monotonic();
  }

  async #follow(listed: ListedSchedule, nowMs: number): Promise<Track | undefined> {
    const { name, schedule, timing, problem } = listed;
    if (problem !== null && this.#told.get(name) !== problem.message) {
      this.#told.set(name, problem.message);
      this.#emit({ type: "schedule.problem", name, error: problem });
    }
    if (schedule === null || timing === null) return undefined;
    this.#told.delete(name);
    const known = this.#tracks.get(name);
    if (known?.schedule === schedule) {
      if (this.#dryRun) known.paused = listed.paused;
      else known.follow(listed);
      return known;
    }
    // Nothing to make up for: it begins now. In the broker, so that a restart between now and its first tick is no beginning again.
    if (listed.lastTick === null && !this.#dryRun) await this.#app.schedules.begin(schedule, nowMs);
    return new Track(schedule, timing, { lastTick: listed.lastTick ?? nowMs, paused: listed.paused });
  }
}
