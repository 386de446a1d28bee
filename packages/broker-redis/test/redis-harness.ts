import type { Harness, HarnessWorld } from "@q/broker-testkit";
import { silentLogger, systemClock, type Broker, type Clock, type Liveness } from "@q/core/broker";
import { TcpProxy } from "@q/test-servers";
import { Connection } from "../src/connection.ts";
import { queueKeys } from "../src/keys.ts";
import type { LeaseKeeper } from "../src/lease-keeper.ts";
import { readOptions, type RedisOptions, type Settings } from "../src/options.ts";
import { RedisBroker } from "../src/redis-broker.ts";
import { renew } from "../src/scripts/renew.ts";
import type { Deployment } from "./deployment.ts";

interface Parts {
  readonly broker: RedisBroker;
  readonly settings: Settings;
  readonly proxies: readonly TcpProxy[];
  readonly rounds: Rounds;
}

/** Short, so that a crash is seen soon; long enough for a busy machine. */
const leaseMs = 1200;

/** What a broker does regularly, unasked, which a test can end. Shorter waits go on. */
class Rounds {
  readonly clock: Clock;
  #ended = false;

  constructor() {
    this.clock = {
      ...systemClock,
      setTimer: (delayMs, callback, options) =>
        systemClock.setTimer(delayMs, () => (this.#ended && delayMs >= 50 ? undefined : callback()), options),
    };
  }

  end(): void {
    this.#ended = true;
  }
}

/** Settings for one world: keys of its own, and waits that a test can bear. */
export function testSettings(place: string | RedisOptions, prefix: string): Settings {
  const options = typeof place === "string" ? { url: place } : place;
  return { ...readOptions({ ...options, prefix }), leaseMs, crashDelayMs: 100, timeoutMs: 3000, stuckAfterMs: null };
}

/** Nobody blocks the event loop here, and a thread for each of hundreds of brokers would be slow. */
export const noThread: LeaseKeeper = { keep: () => undefined, forget: () => undefined, close: () => Promise.resolve() };

export function createBroker(settings: Settings, clock: Clock = systemClock): RedisBroker {
  return new RedisBroker(settings, { clock, liveness: newProcess(), startKeeper: () => noThread });
}

let lastPid = 0;

/** A process of its own for each broker, as far as others can tell: it is counted as one, and nobody can see whether it lives. */
function newProcess(): Liveness {
  lastPid += 1;
  return {
    own: { pid: lastPid, startedAt: null, bootId: null, pidNamespace: null },
    check: () => "unknown",
  };
}

/** One deployment for all worlds, keys of its own for each world, and a network of its own for each broker. */
export function redisHarness(deployment: () => Deployment): Harness {
  const made = new WeakMap<Broker, Parts>();
  const partsOf = (broker: Broker): Parts => {
    const parts = made.get(broker);
    if (parts === undefined) throw new TypeError("expected a broker of this harness");
    return parts;
  };
  const proxies = new Map<string, readonly TcpProxy[]>();
  /** Past the proxies. */
  const directly = async (prefix: string, work: (connection: Connection) => Promise<void>): Promise<void> => {
    const settings = testSettings(deployment().options(), prefix);
    const connection = await Connection.open({ settings, clock: systemClock, logger: silentLogger });
    await work(connection).finally(() => connection.close());
  };
  /** As if all leases of a world had run out. */
  const expire = ({ prefix, target }: Settings): Promise<void> =>
    directly(prefix, async (connection) => {
      const queues = (await connection.call("smembers", `${prefix}q:queues`)) as string[];
      for (const queue of queues) {
        const keys = queueKeys(queue, prefix, { inCluster: target.kind === "cluster" });
        const knownDead = (await connection.call("zrange", keys.lease, 0, -1)) as string[];
        await renew(connection, keys, { id: "nobody", leaseMs, silenceMs: 60_000, crashDelayMs: 100, knownDead });
      }
      const locks = await connection.callEach("keys", `q:lease:{${prefix}*`);
      for (const lock of locks.flatMap(([, found]) => found as string[])) await connection.call("del", lock);
    });
  return {
    async create(world) {
      const own = await Promise.all(deployment().servers.map(({ port }) => TcpProxy.start({ port })));
      proxies.set(world.id, [...(proxies.get(world.id) ?? []), ...own]);
      const rounds = new Rounds();
      const settings = testSettings(deployment().options(own), prefixOf(world));
      const broker = createBroker(settings, rounds.clock);
      made.set(broker, { broker, settings, proxies: own, rounds });
      return broker;
    },
    crash(broker) {
      partsOf(broker).broker.abandon();
    },
    interrupt(broker) {
      const own = partsOf(broker).proxies;
      for (const proxy of own) proxy.refuse();
      for (const proxy of own) proxy.cut();
      return Promise.resolve(async () => {
        for (const proxy of own) await proxy.restore();
      });
    },
    expire: (broker) => expire(partsOf(broker).settings),
    async expireUnnoticed(broker) {
      const parts = partsOf(broker);
      // A broker that asks finds out: no more rounds. It is not cut off, because it asks when it is back.
      parts.rounds.end();
      await expire(parts.settings);
    },
    inject: (world, queue, raw) =>
      directly(prefixOf(world), async (connection) => {
        await connection.call("rpush", prefixOf(world) + queue, Buffer.from(raw));
      }),
    async cleanUp(world) {
      await Promise.all((proxies.get(world.id) ?? []).map((proxy) => proxy.stop()));
      proxies.delete(world.id);
    },
    // A delay that another process has sent is seen within a second; the other test files run beside this one.
    latenessMs: 1800,
    recoveryMs: 5000,
    crashDelayMs: 500,
    ttlMs: 1000,
    quietMs: 300,
  };
}

function prefixOf({ id }: HarnessWorld): string {
  return `${id}:`;
}
