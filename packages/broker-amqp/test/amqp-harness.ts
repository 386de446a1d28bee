import { connect } from "amqplib";
import type { Harness } from "@q/broker-testkit";
import type { Broker } from "@q/core/broker";
import { TcpProxy } from "@q/test-servers";
import { AmqpBroker } from "../src/amqp-broker.ts";
import { readOptions, type QueueType } from "../src/options.ts";

/** Where the tests' server is. */
export interface Place {
  readonly port: number;
  readonly vhost: string;
}

interface Parts {
  readonly broker: AmqpBroker;
  readonly proxy: TcpProxy;
}

/** One server for all worlds, whose queues have names of their own, and a network of its own for each broker. */
export function amqpHarness(place: () => Place, queueType: QueueType): Harness {
  const made = new WeakMap<Broker, Parts>();
  const partsOf = (broker: Broker): Parts => {
    const parts = made.get(broker);
    if (parts === undefined) throw new TypeError("expected a broker of this harness");
    return parts;
  };
  const proxies = new Map<string, TcpProxy[]>();
  return {
    async create(world) {
      const { port, vhost } = place();
      const proxy = await TcpProxy.start({ port });
      proxies.set(world.id, [...(proxies.get(world.id) ?? []), proxy]);
      const hosts = [`127.0.0.1:${proxy.port}`];
      const broker = new AmqpBroker(readOptions({ hosts, vhost, queueType, timeout: "3s" }));
      made.set(broker, { broker, proxy });
      return broker;
    },
    crash(broker) {
      partsOf(broker).broker.abandon();
    },
    interrupt(broker) {
      const { proxy } = partsOf(broker);
      proxy.refuse();
      proxy.cut();
      return Promise.resolve(() => proxy.restore());
    },
    expire(broker) {
      partsOf(broker).proxy.cut();
    },
    async inject(_world, queue, raw) {
      const { port, vhost } = place();
      const connection = await connect({ hostname: "127.0.0.1", port, vhost: encodeURIComponent(vhost) });
      const channel = await connection.createConfirmChannel();
      channel.sendToQueue(queue, Buffer.from(raw));
      await channel.waitForConfirms();
      await connection.close();
    },
    async cleanUp(world) {
      await Promise.all((proxies.get(world.id) ?? []).map((proxy) => proxy.stop()));
      proxies.delete(world.id);
    },
    latenessMs: 1500,
    recoveryMs: 2000,
    quietMs: 300,
    exceptions: {
      "purge deletes what is ready or delayed, leaves what is in flight, and answers how many":
        "delayed messages of all queues wait together in the ladder, where those of one cannot be deleted",
      ...(queueType === "quorum"
        ? {
            "what was fetched and not handed out before a stop goes back, in order":
              "a quorum queue takes back more than 32 at a time in an order of its own",
          }
        : {}),
    },
  };
}
