import type { Broker, BrokerFactory } from "@q/core/broker";
import { readOptions, type RedisOptions } from "./options.ts";
import { RedisBroker } from "./redis-broker.ts";
import { urlSchemes } from "./redis-url.ts";

export type { RedisOptions } from "./options.ts";

/** Makes brokers on Redis. Answers to `redis:`, `rediss:` and their like. */
export interface RedisFactory extends BrokerFactory {
  /**
   * A broker on one server, on the server that Sentinels name, or on a cluster, without I/O yet.
   * @param urlOrOptions one of these, whose parameters are those of the options, or options. Default `redis://localhost:6379/0`
   * - `redis://:password@cache:6379/0`, `redis://user:password@cache/0`; what is special in a URL is percent-encoded
   * - `rediss://cache:6380/0?ca=/etc/ssl/redis.pem`, with TLS; also `cert` and `key`
   * - `redis+socket:///run/redis/redis.sock?db=0`, or `unix:///…`
   * - `redis+sentinel://user:password@s1:26379,s2:26379/mymaster/0?sentinelPassword=…`, with TLS `rediss+sentinel:`
   * - `redis+cluster://n1:6379,n2:6379`, with TLS `rediss+cluster:`
   * - Celery's `redis+socket:///path?virtual_host=0`, `sentinel://s1:26379;sentinel://s2:26379/0?master_name=mymaster`, `ssl_ca_certs`,
   *   `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs`
   * @throws ConfigError `Q2010` not a duration, `Q2011` unknown option or parameter, `Q2026` not an address, `Q2027` another value that does not fit
   */
  (urlOrOptions?: string | RedisOptions): Broker;
}

export const redis: RedisFactory = Object.assign(
  (urlOrOptions: string | RedisOptions = {}): Broker => new RedisBroker(readOptions(urlOrOptions)),
  { schemes: urlSchemes },
);
