import type { Consumer, Delivery } from "@q/core/broker";
import { consumeWith, deliveries, forever, type Fault } from "./fault.ts";

/** Broken promises about consuming. */
export const consumingFaults: readonly Fault[] = [
  {
    name: "prefetch is a hint",
    caughtBy: ["never more than prefetch messages are in hand", "prefetch holds when messages are settled in bursts"],
    broker: (healthy, site) => ({ consume: consumeWith(healthy, site, { prefetch: (prefetch) => 4 * prefetch }) }),
  },
  {
    name: "resize does nothing",
    caughtBy: [
      "raising the prefetch hands out more at once",
      "lowering the prefetch takes nothing back and holds from then on",
    ],
    broker: (healthy, site) => ({
      consume: consumeWith(healthy, site, { consumer: () => ({ resize: () => undefined }) }),
    }),
  },
  {
    name: "every message is handed out twice",
    caughtBy: [
      "two brokers share a queue, and no message goes to both",
      "four brokers handle two thousand messages, each exactly once",
    ],
    broker: (healthy, site) => ({
      consume: consumeWith(healthy, site, {
        handOut(delivery, onDelivery) {
          onDelivery(delivery);
          onDelivery(delivery);
        },
      }),
    }),
  },
  {
    name: "the last queue gets its turn when the first is empty",
    caughtBy: ["queues are served in turns, however long one of them is"],
    broker: (healthy, site) => ({
      async consume(queues, options, onDelivery) {
        const consume = consumeWith(healthy, site);
        const first = await consume(queues.slice(0, 1), options, onDelivery);
        if (queues.length > 1)
          site.later(400, () => consume(queues.slice(1), options, onDelivery).catch(() => undefined));
        return first;
      },
    }),
  },
  {
    name: "a queue that is named twice is one queue",
    caughtBy: ["a queue that is named twice gets twice the turns"],
    broker: (healthy, site) => ({ consume: consumeWith(healthy, site, { queues: (queues) => [...new Set(queues)] }) }),
  },
  {
    name: "idle consumers look twice a second",
    caughtBy: ["an idle consumer soon gets what another broker sends"],
    broker: (healthy, site) => ({
      consume: consumeWith(healthy, site, {
        handOut: (delivery, onDelivery) => site.later(500, () => onDelivery(delivery)),
      }),
    }),
  },
  {
    name: "idle consumers listen to their first queue",
    caughtBy: ["an idle consumer of several queues hears of each"],
    broker: (healthy, site) => ({
      async consume(queues, options, onDelivery) {
        const waitFor = ({ message }: Delivery): number => (message.queue === queues[0] ? 0 : 600);
        const handOut = (delivery: Delivery): void => site.later(waitFor(delivery), () => onDelivery(delivery));
        return consumeWith(healthy, site)(queues, options, handOut);
      },
    }),
  },
  {
    name: "a second consumer takes the place of the first",
    caughtBy: ["a broker has several consumers, each with its own queues and prefetch"],
    broker: (healthy, site) => {
      const consumers: Consumer[] = [];
      return {
        async consume(queues, options, onDelivery) {
          for (const consumer of consumers) await consumer.stop();
          const consumer = await consumeWith(healthy, site)(queues, options, onDelivery);
          consumers.push(consumer);
          return consumer;
        },
      };
    },
  },
  {
    name: "more is fetched than is handed out",
    caughtBy: ["a consumer whose hands are full keeps nothing from others"],
    broker: (healthy, site) => ({
      async consume(queues, options, onDelivery) {
        let handedOut = 0;
        const handOut = (delivery: Delivery): void =>
          handedOut++ < options.prefetch ? onDelivery(delivery) : undefined;
        return consumeWith(healthy, site, { prefetch: (prefetch) => 4 * prefetch })(queues, options, handOut);
      },
    }),
  },
  {
    name: "acks after an interruption go nowhere",
    caughtBy: ["what is held during an interruption is settled afterwards, or comes again"],
    broker: deliveries((delivery, _healthy, site) => ({
      settle: (outcome) => (site.notes.has("interrupted") ? Promise.resolve("settled") : delivery.settle(outcome)),
    })),
    interrupt(healthy, site) {
      site.notes.set("interrupted", true);
      healthy.disconnect();
      return () => healthy.reconnect();
    },
  },
  {
    name: "a stopped consumer goes on",
    caughtBy: ["a stopped consumer is handed nothing any more"],
    broker: (healthy, site) => ({
      consume: consumeWith(healthy, site, { consumer: () => ({ stop: async () => undefined }) }),
    }),
  },
  {
    name: "a second stop waits for the end of the first, which was before",
    caughtBy: ["stopping twice is stopping once"],
    broker: (healthy, site) => ({ consume: consumeWith(healthy, site, { consumer: stopOnceOnly }) }),
  },
  {
    name: "a consumer that stops gives back what it had handed out",
    caughtBy: ["what a consumer holds when it stops stays its own and can be settled"],
    broker: (healthy, site) => ({
      consume: consumeWith(healthy, site, {
        consumer: (consumer) => ({
          async stop() {
            await consumer.stop();
            await Promise.all(site.heldBy(healthy).map((delivery) => delivery.settle({ kind: "release" })));
          },
        }),
      }),
    }),
  },
  {
    name: "what was fetched when a consumer stops is forgotten",
    caughtBy: ["what was fetched and not handed out before a stop goes back, in order"],
    broker: (healthy, site) => {
      let stopped = false;
      return {
        consume: consumeWith(healthy, site, {
          handOut: (delivery, onDelivery) => (stopped ? undefined : onDelivery(delivery)),
          consumer: (consumer) => ({
            async stop() {
              stopped = true;
              // The rest of the fetch is handed to a consumer that does not listen any more.
              await Promise.resolve();
              await consumer.stop();
            },
          }),
        }),
      };
    },
  },
  {
    name: "heardAt is the time of birth",
    caughtBy: ["heardAt moves on when the broker answers"],
    broker: (healthy, site) => ({ consume: consumeWith(healthy, site, { consumer: ({ heardAt }) => ({ heardAt }) }) }),
  },
  {
    name: "consume waits for a connection for ever",
    caughtBy: ["consuming on a broker that is not open rejects with a BrokerError"],
    broker: (healthy, site) => {
      const consume = consumeWith(healthy, site);
      return {
        consume: (queues, options, onDelivery) =>
          healthy.connected ? consume(queues, options, onDelivery) : forever(),
      };
    },
  },
  {
    name: "a line that was cut stays cut",
    caughtBy: ["a consumer goes on by itself after an interruption"],
    interrupt(healthy) {
      healthy.disconnect();
      return () => undefined;
    },
  },
  {
    name: "a message that is handed out has been lost by then",
    caughtBy: [
      "a living process keeps what it holds, however long it takes",
      "what is held goes on while its queue is paused",
    ],
    broker: deliveries(() => ({ lost: AbortSignal.abort() })),
  },
  {
    name: "a message is taken from a living process that works for too long",
    caughtBy: ["a living process keeps what it holds, however long it takes"],
    broker: (healthy, site) => ({
      consume: consumeWith(healthy, site, {
        handOut(delivery: Delivery, onDelivery: (delivery: Delivery) => void) {
          onDelivery(delivery);
          site.later(60, () => healthy.expire());
        },
      }),
    }),
  },
];

function stopOnceOnly(consumer: Consumer): Partial<Consumer> {
  let stopped = false;
  return {
    stop() {
      if (stopped) return forever();
      stopped = true;
      return consumer.stop();
    },
  };
}
