import type { Redis } from "ioredis";
import { BrokerError, type HostPort } from "@q/core/broker";
import { createSingleClient } from "./connect.ts";
import type { Login, Settings } from "./options.ts";
import { ConnectionLost } from "./redis-error.ts";

/** Longest that each of them is waited for. Milliseconds. */
const patienceMs = 1500;

/**
 * What keeps us from the server that Sentinels name, or from a cluster: ioredis keeps what each of them says to itself. `undefined` when one
 * of them is fine, or there is only one server.
 */
export async function findObstacle(settings: Settings): Promise<unknown> {
  const { target, username, password, sentinelLogin, address } = settings;
  switch (target.kind) {
    case "standalone":
    case "socket":
      return undefined;
    case "sentinel":
      return await firstOfAll(target.sentinels, (place) =>
        ask(settings, { ...sentinelLogin, ...place }, async (sentinel) => {
          if ((await sentinel.call("sentinel", "get-master-addr-by-name", target.master)) !== null) return undefined;
          return new BrokerError("Q1023", `the Sentinels know no server "${target.master}" (${address})`, {
            hint: "its name stands in their configuration, after `sentinel monitor`",
          });
        }),
      );
    case "cluster":
      return await firstOfAll(target.nodes, (place) =>
        ask(settings, { username, password, ...place }, async (node) => {
          if (!String(await node.call("cluster", "info")).includes("cluster_state:fail")) return undefined;
          return new ConnectionLost(`the cluster at ${address} is down`, {
            sent: false,
            hint: "CLUSTER INFO and CLUSTER NODES on one of its nodes tell what it misses",
          });
        }),
      );
  }
}

/** The first one's, when each of them has one. */
async function firstOfAll(
  places: readonly HostPort[],
  obstacleOf: (place: HostPort) => Promise<unknown>,
): Promise<unknown> {
  const obstacles = await Promise.all(places.map(obstacleOf));
  return obstacles.includes(undefined) ? undefined : obstacles[0];
}

/** Never rejects: what goes wrong is the obstacle. */
async function ask(
  settings: Settings,
  server: HostPort & Login,
  question: (client: Redis) => Promise<unknown>,
): Promise<unknown> {
  const client = createSingleClient(settings, server, {
    connectTimeout: patienceMs,
    commandTimeout: patienceMs,
    retryStrategy: () => null,
  });
  let first: unknown;
  client.on("error", (error: unknown) => {
    first ??= error;
  });
  try {
    await client.connect();
    return await question(client);
  } catch (error) {
    return first ?? error;
  } finally {
    client.disconnect();
  }
}
