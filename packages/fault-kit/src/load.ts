import { deepEqual, ok } from "node:assert/strict";
import type { Child, Orders, Surroundings } from "./child.ts";
import { eventually } from "./eventually.ts";
import { Fleet } from "./fleet.ts";
import type { History } from "./history.ts";
import { judge, type Leniency, type Verdict } from "./verdict.ts";
import type { World } from "./world.ts";

/** What a row may choose, whatever the broker. */
export interface LoadOptions extends Leniency {
  /** Default 4. */
  readonly workers?: number;
  /** Default 2. */
  readonly producers?: number;
  /** Of each producer. Default 300. */
  readonly perSecond?: number;
  /** How the tasks are; without, they take up to 20 ms, one in ten fails once, one in twenty is delayed. */
  readonly tasks?: Orders;
  /** What only workers are told. */
  readonly worker?: Orders;
  /** What the next process is started in. Default: as this one. */
  readonly surroundings?: () => Surroundings;
  /** Workers may die by themselves. */
  readonly mayDie?: boolean;
}

/** What the fault tests of a broker add to that. */
export interface LoadSettings extends LoadOptions {
  readonly queue: string;
  /** Where producers and workers connect. */
  readonly url: string;
  /** More options of the broker. */
  readonly broker?: Orders;
  /** Whether the broker holds nothing more but dead letters, seen past the network that a row breaks. */
  isEmpty(): Promise<boolean>;
  /** What the broker should not hold when everybody has left. */
  leftovers(): Promise<readonly string[]>;
  /** Where a broker can tell at any time where every message is. */
  readonly census?: Census;
}

/** Where a message was and should not have been. */
export interface Violation {
  readonly id: string;
  readonly what: string;
}

/** Looks all the time where every message is. */
export interface Census {
  /** What should never be. */
  readonly violations: readonly Violation[];
  /** How often it was taken. */
  readonly count: number;
  stop(): Promise<void>;
}

const settlesWithinMs = 60_000;
const fewestStored = 100;
const fewestCensuses = 5;

/** Producers that send all the time, and workers that run what they send. */
export class Load {
  readonly history: History;
  readonly fleet: Fleet;
  readonly producers: readonly Child[];
  readonly #world: World;
  readonly #settings: LoadSettings;

  constructor(world: World, settings: LoadSettings) {
    const { workers = 4, producers = 2, census } = settings;
    this.#world = world;
    this.#settings = settings;
    this.history = world.history;
    if (census !== undefined) world.defer(() => census.stop());
    this.fleet = new Fleet(workers, () => this.startWorker());
    world.defer(() => this.fleet.end());
    this.producers = Array.from({ length: producers }, (_, number) => this.startProducer(`p${number}`));
  }

  startWorker(): Child {
    const { worker, surroundings } = this.#settings;
    return this.#world.start("worker", { ...this.#place(), ...worker }, surroundings?.());
  }

  startProducer(name: string, orders: Orders = {}): Child {
    const { perSecond = 300, tasks, surroundings } = this.#settings;
    const told = { ...this.#place(), name, perSecond, tasks, ...orders };
    return this.#world.start("producer", told, surroundings?.());
  }

  /** Starts a worker that dies when it has got a message, before anything was done with it. */
  startClaimer(): Child {
    return this.#world.start("claimer", this.#place());
  }

  /** Resolves when every worker has begun something from now on. */
  async allWork(withinMs = 60_000): Promise<void> {
    const since = Date.now();
    const idle = (): readonly number[] => {
      const busy = new Set(
        this.history
          .read()
          .of("start", { since })
          .map(({ pid }) => pid),
      );
      return this.fleet.workers.map(({ pid }) => pid).filter((pid) => !busy.has(pid));
    };
    await eventually(
      "every worker works",
      withinMs,
      () => idle().length === 0,
      () => this.#describe(),
    );
  }

  /** Resolves when no worker is missing, and every producer has come. */
  async fullStrength(): Promise<void> {
    await eventually(
      "every worker is ready, and every producer",
      60_000,
      () => {
        const ready = new Set(
          this.history
            .read()
            .of("ready")
            .map(({ pid }) => pid),
        );
        return [...this.fleet.workers, ...this.producers].every(({ pid }) => ready.has(pid));
      },
      () => this.#describe(),
    );
  }

  /** Ends the load and looks at everything that must always hold. */
  async finish(): Promise<Verdict> {
    const { census } = this.#settings;
    await this.allWork();
    // A row that is over soon, or whose server was away for most of it, would say nothing.
    await eventually(
      "a census is taken every now and then",
      settlesWithinMs,
      () => census === undefined || census.count > fewestCensuses,
      () => this.#describe(),
    );
    await eventually(
      `more than ${fewestStored} messages are stored that must not be lost`,
      settlesWithinMs,
      () => judge(this.history.read(), this.#settings).stored > fewestStored,
      () => this.#describe(),
    );
    await Promise.all(this.producers.map((producer) => producer.stop()));
    return await this.drain();
  }

  /** As `finish`, when nobody sends any more. */
  async drain(): Promise<Verdict> {
    const { census, mayDie = false, isExcused = () => false } = this.#settings;
    await eventually(
      "the queue is empty",
      settlesWithinMs,
      () => this.#settings.isEmpty(),
      () => this.#describe(),
    );
    await this.fleet.stop();
    await census?.stop();
    const verdict = judge(this.history.read(), this.#settings);
    const { lost, ghosts, ackedTwice } = verdict;
    const failures = [...this.fleet.failures, ...this.producers.flatMap(({ failure }) => failure ?? [])];
    const found = {
      lost,
      ghosts,
      ackedTwice,
      census: (census?.violations ?? []).filter(({ id }) => !isExcused(id)).map(({ id, what }) => `${id} ${what}`),
      leftover: await this.#settings.leftovers(),
      failures: mayDie ? [] : failures,
    };
    deepEqual(found, { lost: [], ghosts: [], ackedTwice: [], census: [], leftover: [], failures: [] });
    ok(census === undefined || census.count > fewestCensuses, "expected a census every now and then");
    ok(verdict.stored > fewestStored, "expected a load");
    return verdict;
  }

  #place(): Orders {
    const { queue, url, broker } = this.#settings;
    return { queue, url, broker };
  }

  #describe(): string {
    const { open, traces } = this.history.read();
    return `; ${open.size} of ${traces.size} are open, such as ${[...open].slice(0, 5).join(", ")}\n${this.#world.warnings.slice(-4000)}`;
  }
}
