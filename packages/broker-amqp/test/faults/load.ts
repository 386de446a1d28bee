import { Load as FaultLoad, type LoadOptions as AnyLoadOptions, type Orders } from "@q/fault-kit";
import { rabbitUrl, type RabbitNode, type RabbitQueue } from "@q/test-servers";
import { openChannel } from "../channel.ts";
import type { Place, World } from "./world.ts";

export interface LoadOptions extends AnyLoadOptions {
  readonly site: Place;
  /** Where producers and workers connect. Default: straight to the server. */
  readonly url?: string;
  /** More options of the broker. */
  readonly broker?: Orders;
}

export const queue = "load";
/** What remains when everybody has left: the queue, its dead letters and marks, and what delayed messages of all queues go through. */
const remaining = /^(load|q\.(dead|marks)\.load|q\.delay\.\d+|celery_delayed_\d+)$/;
/** What may lie there. The marks of messages that did not come again are kept for days. */
const kept = /^q\.(dead|marks)\.load$/;

/** Messages that one worker may hold: the adapter asks for no more than there are slots. */
export const atHand = 10;

/** Producers that send all the time through RabbitMQ, and workers that run what they send. */
export class Load extends FaultLoad {
  /** Resolves when every worker works. */
  static async start(world: World, options: LoadOptions): Promise<Load> {
    const { site, url = site.url } = options;
    const { admin } = site;
    const load = new Load(world, {
      perSecond: 100,
      ...options,
      queue,
      url,
      broker: { timeout: "10s", ...options.broker },
      isEmpty: async () => {
        // The server is asked when there is nothing else to wait for: that costs a second.
        if (world.history.read().open.size > 0) return false;
        return (await admin.queues(site.vhost)).every(isEmpty);
      },
      leftovers: () => leftoversOf(site),
    });
    await load.allWork();
    return load;
  }
}

/** The server sees the end of a connection when it comes to it. */
const seesEndsWithinMs = 15_000;

async function leftoversOf({ admin, vhost }: Place): Promise<readonly string[]> {
  const until = performance.now() + seesEndsWithinMs;
  for (;;) {
    const queues = await admin.queues(vhost);
    const consumed = queues.filter(({ consumers }) => consumers > 0).map(({ name }) => `a consumer of ${name}`);
    if (consumed.length > 0 && performance.now() < until) continue;
    return [...queues.filter(({ name }) => !remaining.test(name)).map(({ name }) => name), ...consumed];
  }
}

function isEmpty({ name, ready, unacknowledged }: RabbitQueue): boolean {
  return kept.test(name) || ready + unacknowledged === 0;
}

/** How many messages a queue has ready now. What rabbitmqctl tells of a quorum queue is some seconds old. */
export async function readyIn(world: World, name: string, { url }: Place): Promise<number> {
  const channel = await openChannel(world, url);
  return (await channel.checkQueue(name)).messageCount;
}

/** How many dead letters the queue of the load has. */
export async function deadLetters(world: World, place: Place): Promise<number> {
  return await readyIn(world, `q.dead.${queue}`, place);
}

/** Looks up ids of the dead letters. Whoever was killed between burying one and acking it leaves two of them. */
export async function deadIds(world: World, place: Place): Promise<() => Promise<ReadonlySet<string>>> {
  const channel = await openChannel(world, place.url);
  return async () => {
    const ids = new Set<string>();
    for (;;) {
      const found = await channel.get(`q.dead.${queue}`);
      if (found === false) break;
      ids.add(String(found.properties.messageId ?? found.properties.headers?.["id"]));
    }
    channel.nackAll(true);
    return ids;
  };
}

/** Of a site, through a proxy. */
export function urlThrough(proxy: Pick<RabbitNode, "port">, { vhost }: Place): string {
  return rabbitUrl(proxy, vhost);
}
