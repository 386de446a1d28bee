import { Load as FaultLoad, type LoadOptions as AnyLoadOptions } from "@q/fault-kit";
import type { RedisServer } from "@q/test-servers";
import { census, CensusWatch, type Admin } from "./census.ts";
import type { World } from "./world.ts";

export interface LoadOptions extends AnyLoadOptions {
  readonly server: RedisServer;
  /** Of the broker: how long it waits for Redis. Default its own. */
  readonly timeout?: string;
  /** Where producers and workers connect. Default: straight to the server. */
  readonly url?: string;
  /** Default `"2s"`: short, so that a crash is seen soon; long enough for a busy machine. */
  readonly lease?: string;
  /** Of the broker: after how long a process whose event loop stands is ended. Default its own. */
  readonly stuckAfter?: string;
}

export const queue = "load";
/** Keys that remain when everybody has left: what queues there are, where producers have come, whose names are still looked at. */
const remaining =
  /^(q:queues|_kombu\.binding\.load|q:\{load\}:(meta|grave|producer:.*|once:.*|crashes|dead|dead-index))$/;

/** Producers that send all the time through Redis, and workers that run what they send. */
export class Load extends FaultLoad {
  /** Resolves when every worker is up and works: one may work before. */
  static async start(world: World, options: LoadOptions): Promise<Load> {
    const { server, url = server.url, lease = "2s", timeout, stuckAfter, isExcused = () => false } = options;
    const admin = adminOf(server);
    const load = new Load(world, {
      ...options,
      queue,
      url,
      broker: { lease, timeout, stuckAfter },
      census: new CensusWatch(admin, queue, world.history),
      // The census is dear while much is left. What the row lets Redis lose stays open for ever.
      isEmpty: async () =>
        [...world.history.read().open].every((id) => isExcused(id)) &&
        [...(await census(admin, queue)).values()].flat().every((place) => place === "dead"),
      leftovers: async () => ((await admin("keys", "*")) as string[]).filter((key) => !remaining.test(key)),
    });
    await load.fullStrength();
    await load.allWork();
    return load;
  }
}

export function adminOf(server: RedisServer): Admin {
  return (name, ...args) => server.command(name, ...args);
}
