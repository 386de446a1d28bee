import { deepEqual, ok } from "node:assert/strict";
import type { RedisServer } from "@q/test-servers";
import { census, CensusWatch, type Admin } from "./census.ts";
import type { Child, Orders } from "./child.ts";
import { eventually } from "./eventually.ts";
import { Fleet } from "./fleet.ts";
import type { History } from "./history.ts";
import { judge, type Verdict } from "./verdict.ts";
import type { World } from "./world.ts";

export interface LoadOptions {
  readonly server: RedisServer;
  /** Of the broker: how long it waits for Redis. Default its own. */
  readonly timeout?: string;
  /** Where producers and workers connect. Default: straight to the server. */
  readonly url?: string;
  /** Default `"2s"`: short, so that a crash is seen soon; long enough for a busy machine. */
  readonly lease?: string;
  /** Default 4. */
  readonly workers?: number;
  /** Default 2. */
  readonly producers?: number;
  /** Of each producer. Default 300. */
  readonly perSecond?: number;
  /** How the tasks are; without, they take up to 20 ms, one in ten fails once, one in twenty is delayed. */
  readonly tasks?: Orders;
  /** Workers may die by themselves. */
  readonly mayDie?: boolean;
  /** Messages that the server may have lost or brought back by what is done to it. Default none. */
  readonly isExcused?: (id: string) => boolean;
}

export const queue = "load";
/** Keys that remain when everybody has left: what queues there are, where producers have come, whose names are still looked at. */
const remaining =
  /^(q:queues|_kombu\.binding\.load|q:\{load\}:(meta|grave|producer:.*|once:.*|crashes|dead|dead-index))$/;
const settlesWithinMs = 25_000;

/** Producers that send all the time, and workers that run what they send. */
export class Load {
  readonly history: History;
  readonly fleet: Fleet;
  readonly producers: readonly Child[];
  readonly #world: World;
  readonly #options: LoadOptions;
  readonly #census: CensusWatch;

  private constructor(world: World, options: LoadOptions) {
    const { server, workers = 4, producers = 2 } = options;
    this.#world = world;
    this.#options = options;
    this.history = world.history;
    this.#census = new CensusWatch(adminOf(server), queue, world.history);
    world.defer(() => this.#census.stop());
    this.fleet = new Fleet(workers, () => this.startWorker());
    world.defer(() => this.fleet.end());
    this.producers = Array.from({ length: producers }, (_, number) => this.startProducer(`p${number}`));
  }

  /** Resolves when every worker works. */
  static async start(world: World, options: LoadOptions): Promise<Load> {
    const load = new Load(world, options);
    await load.allWork();
    return load;
  }

  startWorker(): Child {
    return this.#world.start("worker", this.#place());
  }

  startProducer(name: string, orders: Orders = {}): Child {
    const { perSecond = 300, tasks } = this.#options;
    return this.#world.start("producer", { ...this.#place(), name, perSecond, tasks, ...orders });
  }

  /** Resolves when every worker has begun something from now on. */
  async allWork(withinMs = 30_000): Promise<void> {
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

  /** Resolves when no worker is missing. */
  async fullStrength(): Promise<void> {
    await eventually(
      "every worker is ready",
      30_000,
      () => {
        const ready = new Set(
          this.history
            .read()
            .of("ready")
            .map(({ pid }) => pid),
        );
        return this.fleet.workers.every(({ pid }) => ready.has(pid));
      },
      () => this.#describe(),
    );
  }

  /** Ends the load and looks at everything that must always hold. */
  async finish(): Promise<Verdict> {
    await this.allWork();
    await Promise.all(this.producers.map((producer) => producer.stop()));
    return await this.drain();
  }

  /** As `finish`, when nobody sends any more. */
  async drain(): Promise<Verdict> {
    const admin = adminOf(this.#options.server);
    await eventually(
      "the queue is empty",
      settlesWithinMs,
      async () => [...(await census(admin, queue)).values()].flat().every((place) => place === "dead"),
      () => this.#describe(),
    );
    await this.fleet.stop();
    await this.#census.stop();
    const { isExcused = () => false } = this.#options;
    const verdict = judge(this.history.read(), isExcused);
    const { lost, ghosts, ackedTwice } = verdict;
    const keys = (await admin("keys", "*")) as string[];
    const failures = [...this.fleet.failures, ...this.producers.flatMap(({ failure }) => failure ?? [])];
    const found = {
      lost,
      ghosts,
      ackedTwice,
      census: this.#census.violations.filter(({ id }) => !isExcused(id)).map(({ id, what }) => `${id} ${what}`),
      leftover: keys.filter((key) => !remaining.test(key)),
      failures: this.#options.mayDie === true ? [] : failures,
    };
    deepEqual(found, { lost: [], ghosts: [], ackedTwice: [], census: [], leftover: [], failures: [] });
    ok(this.#census.count > 5, "expected a census every now and then");
    ok(verdict.stored > 100, "expected a load");
    return verdict;
  }

  #place(): Orders {
    const { server, url = server.url, lease = "2s", timeout } = this.#options;
    return { url, queue, broker: { lease, timeout } };
  }

  #describe(): string {
    const { open, traces } = this.history.read();
    return `; ${open.size} of ${traces.size} are open, such as ${[...open].slice(0, 5).join(", ")}\n${this.#world.warnings.slice(-4000)}`;
  }
}

export function adminOf(server: RedisServer): Admin {
  return (name, ...args) => server.command(name, ...args);
}
