import type { RedisCluster, RedisSentinels, RedisServer, TcpProxy } from "@q/test-servers";
import type { RedisOptions } from "../src/options.ts";

/** A running Redis of any shape. */
export interface Deployment {
  /** Those that hold data: what a broker may have to be cut off from. */
  readonly servers: readonly RedisServer[];
  /** The options that lead there; with proxies, one for each of `servers`, through them. */
  options(proxies?: readonly TcpProxy[]): RedisOptions;
}

export function oneServer(server: RedisServer): Deployment {
  return {
    servers: [server],
    options: ([proxy] = []) => ({ url: `redis://127.0.0.1:${proxy?.port ?? server.port}/0` }),
  };
}

export function aCluster(cluster: RedisCluster): Deployment {
  return {
    servers: cluster.nodes,
    options: (proxies) => ({
      cluster: (proxies ?? cluster.nodes).map(({ port }) => `127.0.0.1:${port}`),
      ...(proxies === undefined ? {} : { natMap: natMap(cluster.nodes, proxies) }),
    }),
  };
}

export function sentinels(group: RedisSentinels): Deployment {
  return {
    servers: group.nodes,
    options: (proxies) => ({
      sentinels: group.sentinels.map(({ port }) => `127.0.0.1:${port}`),
      master: group.name,
      ...(proxies === undefined ? {} : { natMap: natMap(group.nodes, proxies) }),
    }),
  };
}

function natMap(servers: readonly RedisServer[], proxies: readonly TcpProxy[]): Record<string, string> {
  return Object.fromEntries(
    servers.map(({ host, port }, index) => [`${host}:${port}`, `127.0.0.1:${proxies[index]?.port ?? port}`]),
  );
}
