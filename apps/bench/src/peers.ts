import type { Peer } from "./peer.ts";

/** What all others are compared with. */
export const subject = "q";

/** By the name that stands in tables and on the command line. Loaded one at a time: nobody runs with somebody else's client in memory. */
const loaders: Readonly<Record<string, () => Promise<Peer>>> = {
  [subject]: async () => (await import("./peers/q.ts")).q,
  bullmq: async () => (await import("./peers/bullmq.ts")).bullmq,
  "bee-queue": async () => (await import("./peers/bee-queue.ts")).beeQueue,
  "raw-redis": async () => (await import("./peers/raw-redis.ts")).rawRedis,
};

export const peerNames: readonly string[] = Object.keys(loaders);

/** @throws Error for a name that is not known */
export async function loadPeer(name: string): Promise<Peer> {
  const load = loaders[name];
  if (load === undefined) throw new Error(`no peer is called "${name}": ${peerNames.join(", ")}`);
  return await load();
}
