import { constants } from "node:os";
import { formatMs, type Logger } from "@q/core";
import { exitCode } from "../exit-code.ts";
import type { Child, ChildEnd } from "./child.ts";
import { Restarts } from "./restarts.ts";

export interface SupervisorOptions {
  readonly processes: number;
  /** A process that ends with 0 has then nothing left to do. */
  readonly isBurst: boolean;
  /** Whether to wait for `restart` when the command line or the config is wrong, instead of ending. */
  readonly waitsForChange: boolean;
  readonly logger: Logger;
  /** Called when the first process takes tasks, again after every `restart`. */
  readonly onReady: () => void;
  readonly start: (number: number, onReady: (child: Child) => void) => Child;
}

/** The place of one process, and of those that follow it. */
interface Place {
  readonly number: number;
  readonly restarts: Restarts;
  child: Child | undefined;
  /** Until the next process is started. */
  timer: NodeJS.Timeout | undefined;
  /** What the last process ended with, once no other follows it. */
  code: number;
}

/** Another try would end the same way, unless somebody changes something. */
const hopelessCodes: readonly number[] = [exitCode.usage, exitCode.notFound, exitCode.refused];
/** Before a restart, a process has this long for each of the two ways to end in order. */
const restartPatienceMs = 5000;

/**
 * Keeps a number of worker processes running. The first goes ahead, and the others follow when it takes tasks: what is wrong with the config is
 * told once, and not once by each.
 *
 * | a process ends                                         | then                                                 |
 * |--------------------------------------------------------|------------------------------------------------------|
 * | asked to                                               | nothing; when all have, this is over                 |
 * | before it was ever ready, as the first, with 2, 4 or 6 | this is over; under `--watch` it waits for a change  |
 * | used up, or with 0 after 10 s                          | another is started at once                           |
 * | with 0, in a burst                                     | nothing; when all have, this is over                 |
 * | soon after its start for the fifth time, in a burst    | the same                                             |
 * | in any other way                                       | another is started after 0.1 to 10 s, see `Restarts` |
 */
export class Supervisor {
  /** The exit code, when all processes have ended for good: 0, or the highest of theirs. */
  readonly ended: Promise<number>;
  readonly #options: SupervisorOptions;
  readonly #places: readonly Place[];
  #end: (code: number) => void = () => {};
  #phase: "running" | "restarting" | "stopping" = "running";
  /** Whether the first process has become ready, so that the others were started. */
  #isUnderWay = false;
  #isPaused = false;
  #signals = 0;
  #patience: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.processes }, (_, index) => ({
      number: index + 1,
      restarts: new Restarts(),
      child: undefined,
      timer: undefined,
      code: exitCode.done,
    }));
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  /** How many processes take tasks. */
  get ready(): number {
    return this.#places.filter(({ child }) => child?.isReady === true).length;
  }

  /** Starts the first process, unless a signal to end came before. */
  start(): void {
    const [first] = this.#places;
    if (first !== undefined && this.#phase === "running") this.#start(first);
  }

  /** One more signal to end: the first is a warm stop, the second hands back what runs, the third leaves at once. */
  signal(signal: NodeJS.Signals): void {
    this.#signals += 1;
    this.#phase = "stopping";
    this.#stopAll(signal, this.#signals);
    if (this.#signals > 2) this.#end(128 + (constants.signals[signal] ?? 0));
  }

  /** Hands on a signal that ends nothing. */
  pass(signal: "SIGTSTP" | "SIGCONT" | "SIGUSR2"): void {
    if (signal !== "SIGUSR2") this.#isPaused = signal === "SIGTSTP";
    for (const { child } of this.#places) child?.pass(signal);
  }

  /** Other processes instead of these, which are stopped first: warm, and less patiently than by a signal. */
  restart(): void {
    if (this.#phase !== "running") return;
    this.#phase = "restarting";
    this.#isUnderWay = false;
    this.#stopAll("SIGTERM", 1);
  }

  #start(place: Place): void {
    const onReady = (child: Child): void => this.#onReady(place, child);
    const child = this.#options.start(place.number, onReady);
    place.timer = undefined;
    place.child = child;
    void child.ended.then((end) => this.#onEnded(place, child, end));
  }

  #onReady({ number }: Place, child: Child): void {
    this.#options.logger.info({ pid: child.pid }, `process ${number} is ready`);
    if (this.#isPaused) child.pass("SIGTSTP");
    if (this.#isUnderWay || this.#phase !== "running") return;
    this.#isUnderWay = true;
    this.#options.onReady();
    for (const place of this.#places.slice(1)) this.#start(place);
  }

  #onEnded(place: Place, { pid }: Child, end: ChildEnd): void {
    place.child = undefined;
    if (this.#phase === "running") this.#replace(place, pid, end);
    else {
      // One that was still loading had nothing to end in order.
      place.code = end.signal !== undefined && !end.wasReady ? exitCode.done : end.code;
      if (end.signal !== undefined && end.wasReady)
        this.#options.logger.warn({ pid }, `process ${place.number} ${howItEnded(end)}`);
    }
    this.#look();
  }

  #replace(place: Place, pid: number | undefined, end: ChildEnd): void {
    const { isBurst, waitsForChange, logger } = this.#options;
    place.code = end.code;
    if (!this.#isUnderWay && hopelessCodes.includes(end.code)) {
      if (waitsForChange) {
        place.code = exitCode.done;
        logger.info({}, "waiting for a change");
      } else this.#phase = "stopping";
      return;
    }
    if (isBurst && end.code === exitCode.done && !end.isUsedUp) return;
    const { delayMs, isLoop } = place.restarts.after(end);
    const next = isLoop && isBurst ? "" : `; another follows ${delayMs === 0 ? "now" : `in ${formatMs(delayMs)}`}`;
    const level = end.code === exitCode.done ? "info" : "warn";
    logger[level]({ pid }, `process ${place.number} ${howItEnded(end)}${next}`);
    if (isLoop) {
      const what = `process ${place.number} keeps ending soon after its start, the last time with exit code ${end.code}`;
      logger.error({ code: "Q4011" }, isBurst ? `${what}; giving it up` : what);
      if (isBurst) return;
    }
    place.timer = setTimeout(() => this.#start(place), delayMs);
  }

  #stopAll(signal: NodeJS.Signals, level: number): void {
    clearTimeout(this.#patience);
    for (const place of this.#places) {
      clearTimeout(place.timer);
      // What it waited to replace has been told of. Nothing is unfinished here.
      if (place.timer !== undefined) place.code = exitCode.done;
      place.timer = undefined;
      place.child?.stop(signal, level);
    }
    if (this.#phase === "restarting" && level < 3)
      this.#patience = setTimeout(() => this.#stopAll(signal, level + 1), restartPatienceMs);
    this.#look();
  }

  /** Goes on, or ends, when no process is left and none is to follow. */
  #look(): void {
    if (this.#places.some(({ child, timer }) => child !== undefined || timer !== undefined)) return;
    clearTimeout(this.#patience);
    if (this.#phase === "restarting") {
      this.#phase = "running";
      for (const place of this.#places) place.code = exitCode.done;
      this.start();
      return;
    }
    const isWaiting = this.#phase === "running" && this.#options.waitsForChange;
    if (!isWaiting) this.#end(Math.max(...this.#places.map(({ code }) => code)));
  }
}

function howItEnded({ code, signal, isUsedUp }: ChildEnd): string {
  if (isUsedUp) return "is used up";
  return signal === undefined ? `ended with exit code ${code}` : `was ended by ${signal}`;
}
