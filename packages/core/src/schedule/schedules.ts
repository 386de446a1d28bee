import type { AppSettings } from "../app-options.ts";
import type { BrokerMessage } from "../broker/broker-message.ts";
import type { Broker } from "../broker/broker.ts";
import { tickHeader, type ScheduleStore, type StoredSchedule, type TickAnswer } from "../broker/schedule-store.ts";
import { noOverlapHeader, scheduleHeader } from "../celery-headers.ts";
import type { Clock } from "../clock.ts";
import type { JsonObject } from "../json.ts";
import { didYouMean } from "../nearest.ts";
import { ConfigError, QError } from "../q-error.ts";
import { storeWith } from "../middleware.ts";
import { Sender } from "../sender.ts";
import type { Sent } from "../signature.ts";
import type { Task } from "../task.ts";
import { readSchedule, tickId, timingOf, type Schedule } from "./schedule.ts";
import type { ScheduleEntry } from "./schedule-entry.ts";
import type { Timing } from "./timing.ts";

/** A schedule and what is to be said of it. */
export interface ExaminedSchedule {
  readonly name: string;
  /** `null` when the entry cannot be read, or is not known here. */
  readonly schedule: Schedule | null;
  /** `null` when there is a problem with it. */
  readonly timing: Timing | null;
  /** Why its ticks are not sent. */
  readonly problem: QError | null;
}

/** A schedule as the broker has it. */
export interface ListedSchedule extends ExaminedSchedule {
  /** `app`: it stands in `createApp`. `stored`: it was made at run time. `unknown`: another app has it, or it stood in this one before. */
  readonly origin: "app" | "stored" | "unknown";
  readonly paused: boolean;
  /** The last tick that was recorded, or where it began. Epoch milliseconds; `null` when no cron process has seen it yet. */
  readonly lastTick: number | null;
}

/** What schedules need of their app. */
export interface ScheduleHost {
  readonly settings: () => AppSettings;
  readonly broker: () => Broker;
  readonly tasks: ReadonlyMap<string, Task<never>>;
  /** Resolves when the broker can be used. */
  readonly ready: () => Promise<void>;
  readonly send: (task: string, args: object, options: Schedule["options"]) => Promise<Sent>;
}

/** The schedules of an app: those of `createApp`, and those that are made, changed and removed at run time and stored in the broker. */
export class Schedules {
  readonly #host: ScheduleHost;
  readonly #examined = new WeakMap<Schedule, Promise<ExaminedSchedule>>();
  /** Stored entries that were read before, so that each is looked at once. */
  readonly #read = new Map<string, { readonly text: string; readonly result: Promise<ExaminedSchedule> }>();

  /** Made by the app. */
  constructor(host: ScheduleHost) {
    this.#host = host;
  }

  /** Those of `createApp`. */
  get declared(): readonly Schedule[] {
    return this.#host.settings().schedule;
  }

  /** Looks at those of `createApp`, without a broker. The tasks must be loaded. */
  check(): Promise<readonly ExaminedSchedule[]> {
    return Promise.all(this.declared.map((schedule) => this.examine(schedule)));
  }

  /**
   * Every schedule that this app or the broker knows, in order of name.
   * @throws ConfigError `Q2032` when the broker remembers none; BrokerError
   */
  async list(): Promise<readonly ListedSchedule[]> {
    const stored = new Map((await (await this.#store()).list()).map((one) => [one.name, one]));
    const declared = await this.check();
    const names = new Set(declared.map(({ name }) => name));
    const own = declared.map((one) => ({ ...one, origin: "app" as const, ...stateOf(stored.get(one.name)) }));
    const others = [...stored.values()].filter(({ name }) => !names.has(name));
    for (const name of this.#read.keys()) if (!stored.has(name)) this.#read.delete(name);
    const listed = [...own, ...(await Promise.all(others.map((one) => this.#readStored(one))))];
    return listed.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Makes a schedule, or changes one that was made so. It keeps its last tick: ticks of the new times that lie between that one and now are missed ones.
   * @throws ConfigError `Q2006`, `Q2007`, `Q2028`, `Q2029` for an entry that makes no sense, `Q2032`, `Q2031` for one of `createApp`; BrokerError
   */
  async put(name: string, entry: ScheduleEntry): Promise<void> {
    this.#refuseDeclared(name, "changed");
    const { problem } = await this.examine(readSchedule(name, entry, { isStored: true }));
    if (problem !== null) throw problem;
    // Everything in it has just been found to be JSON, or a text.
    await (await this.#store()).put(name, entry as unknown as JsonObject);
  }

  /**
   * Removes a schedule that was made at run time, or what is left of one; answers whether there was anything.
   * @throws ConfigError `Q2032`, `Q2031` for one of `createApp`; BrokerError
   */
  async remove(name: string): Promise<boolean> {
    this.#refuseDeclared(name, "removed");
    return await (await this.#store()).remove(name);
  }

  /**
   * Sends no ticks until `resume`, in any process. What comes due meanwhile is missed.
   * @throws ConfigError `Q2032`, `Q2031` when there is none of this name; BrokerError
   */
  async pause(name: string): Promise<void> {
    await this.#setPaused(name, true);
  }

  /** @throws as `pause` */
  async resume(name: string): Promise<void> {
    await this.#setPaused(name, false);
  }

  /**
   * Sends the task of a schedule now, as a call by hand: its ticks go on as they were.
   * @throws ConfigError `Q2032`, `Q2031`; as `Task.delay`
   */
  async trigger(name: string): Promise<Sent> {
    const { schedule, problem } = await this.find(name);
    if (schedule === null) throw problem ?? noSchedule(name, []);
    return await this.#host.send(schedule.task, schedule.args, schedule.options);
  }

  /**
   * One schedule by its name. Asks the broker only for what `createApp` does not have.
   * @throws ConfigError `Q2031` when there is none
   */
  async find(name: string): Promise<ExaminedSchedule> {
    const declared = this.declared.find((one) => one.name === name);
    if (declared !== undefined) return await this.examine(declared);
    const names = this.declared.map((one) => one.name);
    if (this.#host.broker().schedules === undefined) throw noSchedule(name, names);
    const listed = await this.list();
    const found = listed.find((one) => one.name === name && one.origin === "stored");
    if (found === undefined) throw noSchedule(name, [...names, ...listed.map((one) => one.name)]);
    return found;
  }

  /** The broker's own clock, epoch milliseconds; `null` when it tells none. @throws ConfigError `Q2032`; BrokerError */
  async now(): Promise<number | null> {
    return await (await this.#store()).now();
  }

  /** Records that a schedule begins at `at`, unless it has begun. @throws ConfigError `Q2032`; BrokerError */
  async begin(schedule: Schedule, at: number): Promise<void> {
    await (await this.#store()).begin({ name: schedule.name, queue: this.#queueOf(schedule), at });
  }

  /**
   * Sends the message of one tick, unless that or a later one was sent. However many processes do so, one message is stored; it has the same id
   * in each of them.
   * @param nowMs the time by the broker's clock: what its `expires` is counted from
   * @throws ConfigError `Q2032`; PublishRejected, PublishUnknown: sending it again is then safe; as `Task.delay`
   */
  async fire(schedule: Schedule, at: number, nowMs: number): Promise<TickAnswer> {
    const store = await this.#store();
    let answer: TickAnswer = "already";
    const settings = this.#host.settings();
    const { clock } = settings;
    const brokerClock: Clock = {
      now: () => nowMs,
      monotonic: () => clock.monotonic(),
      setTimer: (...timer) => clock.setTimer(...timer),
    };
    const sender = this.#sender({ ...settings, clock: brokerClock }, async (message) => {
      answer = await store.fire({
        name: schedule.name,
        at,
        queue: message.queue,
        message: marked(message, schedule, at),
        isStored: schedule.isStored,
      });
      return answer === "fired";
    });
    await sender.send({
      task: schedule.task,
      args: schedule.args,
      options: { ...schedule.options, taskId: tickId(schedule.name, at) },
    });
    return answer;
  }

  /** Records a tick that is not to be sent. @throws ConfigError `Q2032`; BrokerError */
  async skip(schedule: Schedule, at: number): Promise<TickAnswer> {
    const { name, isStored } = schedule;
    return await (await this.#store()).fire({ name, at, queue: this.#queueOf(schedule), message: null, isStored });
  }

  /** Whether its expression can be read, its task is known, and what it sends is accepted. */
  examine(schedule: Schedule): Promise<ExaminedSchedule> {
    const known = this.#examined.get(schedule);
    if (known !== undefined) return known;
    const result = this.#examine(schedule);
    this.#examined.set(schedule, result);
    unlessGood(result, () => this.#examined.delete(schedule));
    return result;
  }

  async #examine(schedule: Schedule): Promise<ExaminedSchedule> {
    const { name } = schedule;
    try {
      const timing = await timingOf(schedule);
      await this.#trySending(schedule);
      this.#needLeases(schedule);
      return { name, schedule, timing, problem: null };
    } catch (problem) {
      if (problem instanceof QError) return { name, schedule, timing: null, problem };
      throw problem;
    }
  }

  /** All that a send does, but for storing the message. */
  async #trySending({ name, task, args, options }: Schedule): Promise<void> {
    const { tasks } = this.#host;
    if (!tasks.has(task)) {
      throw new ConfigError("Q2029", `schedule "${name}" sends "${task}", a task that is not known here`, {
        hint: didYouMean(task, [...tasks.keys()]) ?? "does imports match the file that declares it?",
      });
    }
    try {
      // Without the middleware, which would take it for a send.
      const settings = { ...this.#host.settings(), middleware: [] };
      await this.#sender(settings, async () => true).send({ task, args, options });
    } catch (cause) {
      if (!(cause instanceof QError)) throw notTried(name, cause);
      const { message, hint, details } = cause;
      throw new ConfigError("Q2007", `schedule "${name}" sends what is refused: ${message}`, { hint, details, cause });
    }
  }

  /** Where no broker is named yet, as in `q check`, nothing can be said. */
  #needLeases({ name, overlap }: Schedule): void {
    const { broker } = this.#host.settings();
    if (overlap !== "skip" || broker === undefined || broker.leases !== undefined) return;
    throw new ConfigError(
      "Q2032",
      `schedule "${name}" has overlap: "skip", which the ${broker.name} broker cannot keep`,
      {
        hint: "it has no leases: leave overlap out, and let the task itself look whether another one runs",
      },
    );
  }

  #sender(settings: AppSettings, store: (message: BrokerMessage) => Promise<boolean>): Sender {
    const answering = storeWith(async (message) => ((await store(message)) ? "published" : "duplicate"));
    return new Sender(settings, this.#host.tasks, answering);
  }

  #queueOf({ task, options }: Schedule): string {
    const { queues } = this.#host.settings();
    return options.queue ?? this.#host.tasks.get(task)?.queue ?? queues[0]?.name ?? "";
  }

  async #readStored(stored: StoredSchedule): Promise<ListedSchedule> {
    const { name, entry } = stored;
    if (entry === null)
      return { name, schedule: null, timing: null, problem: null, origin: "unknown", ...stateOf(stored) };
    const text = JSON.stringify(entry);
    const known = this.#read.get(name);
    const result = known?.text === text ? known.result : this.#examineEntry(name, entry);
    this.#read.set(name, { text, result });
    unlessGood(result, () => this.#read.delete(name));
    return { ...(await result), origin: "stored", ...stateOf(stored) };
  }

  async #examineEntry(name: string, entry: JsonObject): Promise<ExaminedSchedule> {
    try {
      // Whether it is one is what reading it finds out.
      return await this.examine(readSchedule(name, entry as unknown as ScheduleEntry, { isStored: true }));
    } catch (problem) {
      // Of a newer version, or written by another program.
      if (problem instanceof QError) return { name, schedule: null, timing: null, problem };
      throw problem;
    }
  }

  async #setPaused(name: string, paused: boolean): Promise<void> {
    const store = await this.#store();
    if (!this.declared.some((one) => one.name === name)) {
      const known = (await store.list()).map((one) => one.name);
      if (!known.includes(name)) throw noSchedule(name, [...this.declared.map((one) => one.name), ...known]);
    }
    await store.setPaused(name, paused);
  }

  #refuseDeclared(name: string, verb: string): void {
    if (!this.declared.some((one) => one.name === name)) return;
    throw new ConfigError("Q2031", `schedule "${name}" stands in createApp and cannot be ${verb} at run time`, {
      hint: "it can be paused, or changed where it stands",
    });
  }

  async #store(): Promise<ScheduleStore> {
    const { schedules, name } = this.#host.broker();
    if (schedules === undefined) {
      throw new ConfigError("Q2032", `the ${name} broker cannot remember schedules`, {
        hint: "use one of the brokers that come with q, or let another program send the tasks in time",
      });
    }
    await this.#host.ready();
    return schedules;
  }
}

/** A problem may pass: its task is declared later, its schema asks a database that is away. What has one is looked at again. */
function unlessGood(result: Promise<ExaminedSchedule>, forget: () => void): void {
  result.then(({ problem }) => {
    if (problem !== null) forget();
  }, forget);
}

function stateOf(stored: StoredSchedule | undefined): Pick<ListedSchedule, "paused" | "lastTick"> {
  return { paused: stored?.paused ?? false, lastTick: stored?.lastTick ?? null };
}

/** The message of a tick says whose it is, and what a worker has to look after. */
function marked(message: BrokerMessage, { name, overlap, duplicates }: Schedule, at: number): BrokerMessage {
  const own = {
    [scheduleHeader]: name,
    ...(overlap === "skip" ? { [noOverlapHeader]: true } : {}),
    ...(duplicates === "drop" ? { [tickHeader]: at } : {}),
  };
  return { ...message, headers: { ...message.headers, ...own } };
}

/** What a schema of the app's own throws is nobody else's trouble: the other schedules go on. */
function notTried(name: string, cause: unknown): ConfigError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ConfigError(
    "Q2007",
    `schedule "${name}" could not be tried, because the schema of its task failed: ${message}`,
    {
      hint: "a schema says what is wrong in its result and does not throw; this one is asked again",
      cause,
    },
  );
}

function noSchedule(name: string, known: readonly string[]): ConfigError {
  return new ConfigError("Q2031", `there is no schedule "${name}"`, {
    hint: didYouMean(name, known) ?? (known.length === 0 ? "createApp({ schedule: { … } }) declares them" : undefined),
    details: known.length === 0 ? {} : { known: [...new Set(known)].toSorted().join(", ") },
  });
}
