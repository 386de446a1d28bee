import { Cluster, Redis, type RedisOptions } from "ioredis";
import { tlsConnectOptions, type HostPort } from "@q/core/broker";
import type { Login, Settings } from "./options.ts";
import { isReadOnly } from "./redis-error.ts";

/** A client of one server, or of a cluster. */
export type Client = Redis | Cluster;

export interface ConnectOptions {
  /** Longest time in which the server may say nothing while a command waits. Milliseconds. */
  readonly silenceMs: number;
}

const always = {
  // Replies of one shape, whatever the server's version.
  protocol: 2,
  lazyConnect: true,
  connectionName: "q",
  // Redis before 7.2 does not know it, and users of few rights may not.
  disableClientInfo: true,
  // A server that is silent does not keep a process from ending.
  disconnectTimeout: 500,
  keepAlive: 10_000,
  // Nobody would hear that it failed, and Node ends a process for that.
  autoResubscribe: false,
} as const;

/**
 * A client that has not connected yet. It reconnects by itself, for ever.
 * @throws BrokerError `Q1021` when a file with certificates cannot be read
 */
export function createClient(settings: Settings, { silenceMs }: ConnectOptions): Client {
  const { target, natMap, db, username, password, sentinelLogin, timeoutMs } = settings;
  const tls = settings.tls === undefined ? undefined : tlsConnectOptions(settings.tls);
  const shared = {
    ...always,
    ...loginOf({ username, password }),
    ...(tls === undefined ? {} : { tls }),
    // A little less than whoever waits for it has, who then hears why.
    connectTimeout: timeoutMs * 0.9,
    // The only one that replaces a connection whose other end is gone without a word. Node's timeout of a socket would begin anew with every write.
    socketTimeout: silenceMs,
    // A server that loads its data is asked often whether it has.
    maxLoadingRetryTime: 500,
    // What was under way when a connection ended fails at once. It may have been carried out, so whoever sent it decides.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // After a failover the old master answers READONLY: only a new connection finds the new one.
    reconnectOnError: isReadOnly,
  };
  const single = { ...shared, db, enableOfflineQueue: false, retryStrategy: reconnectPauseMs };
  switch (target.kind) {
    case "standalone":
      return inItsDatabase(new Redis({ ...single, host: target.host, port: target.port }));
    case "socket":
      return inItsDatabase(new Redis({ ...single, path: target.path }));
    case "sentinel":
      return inItsDatabase(
        new Redis({
          ...single,
          name: target.master,
          sentinels: target.sentinels.map(({ host, port }) => ({ host, port })),
          natMap: { ...natMap },
          ...(sentinelLogin.username === undefined ? {} : { sentinelUsername: sentinelLogin.username }),
          ...(sentinelLogin.password === undefined ? {} : { sentinelPassword: sentinelLogin.password }),
          ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
          // A Sentinel that is gone without a word leaves time to ask the next one.
          connectTimeout: timeoutMs / 2.5,
          sentinelCommandTimeout: timeoutMs / 2.5,
          sentinelRetryStrategy: reconnectPauseMs,
        }),
      );
    case "cluster":
      return new Cluster(
        target.nodes.map(({ host, port }) => ({ host, port })),
        {
          lazyConnect: true,
          // For each of its servers.
          redisOptions: shared,
          // The first command to a server connects to it; those after it wait for that, in their order.
          enableOfflineQueue: true,
          natMap: { ...natMap },
          // A name stays a name: a certificate is for one, and the addresses behind it may be several.
          dnsLookup: (address, callback) => callback(null, address),
          clusterRetryStrategy: reconnectPauseMs,
          slotsRefreshTimeout: 2000,
          // Would repeat what was under way when a connection ended, such as a claim: nobody would know what the first one took.
          retryDelayOnFailover: 0,
          retryDelayOnTryAgain: 100,
        },
      );
  }
}

/** A client of one Sentinel, or of one node of a cluster, by itself. It has not connected yet, and keeps its errors to itself. */
export function createSingleClient(
  settings: Settings,
  { host, port, username, password }: HostPort & Login,
  options: Pick<RedisOptions, "connectTimeout" | "commandTimeout" | "maxRetriesPerRequest" | "retryStrategy">,
): Redis {
  const tls = settings.tls === undefined ? undefined : tlsConnectOptions(settings.tls);
  const client = new Redis({
    ...always,
    ...loginOf({ username, password }),
    ...(tls === undefined ? {} : { tls }),
    host,
    port,
    enableReadyCheck: false,
    ...options,
  });
  // Without a listener ioredis prints them.
  client.on("error", () => undefined);
  return client;
}

function loginOf({ username, password }: Login): { readonly username?: string; readonly password?: string } {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

/** ioredis goes on in database 0 when Redis refuses the one that it is told. */
function inItsDatabase(client: Redis): Redis {
  client.on("error", (error: Error & { readonly command?: { readonly name?: string } }) => {
    if (error.command?.name === "select") client.disconnect(true);
  });
  return client;
}

/** Milliseconds. Grows to a second, with jitter, so that a thousand processes do not come back at once. */
export function reconnectPauseMs(attempt: number): number {
  return Math.min(1000, 50 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2);
}
