import { BrokerError, silentLogger } from "@q/core/broker";
import { consumeWith, deliveries, forever, inspecting, settling, type Fault } from "./fault.ts";

/** Broken promises about opening and closing, crashes, poison and garbage. */
export const livingFaults: readonly Fault[] = [
  {
    name: "a broker cannot be opened twice",
    caughtBy: ["opening twice is opening once"],
    broker: (healthy) => ({
      async open(context) {
        if (healthy.connected) throw new BrokerError("Q1009", "already open");
        await healthy.open(context);
      },
    }),
  },
  {
    name: "connected is a constant",
    caughtBy: ["connected says whether the broker is open"],
    broker: () => ({ connected: true }),
  },
  {
    name: "close throws when there is nothing to close",
    caughtBy: ["closing twice is closing once", "closing a broker that was never opened does nothing"],
    broker: (healthy) => ({
      async close() {
        if (!healthy.connected) throw new BrokerError("Q1009", "not open");
        await healthy.close();
      },
    }),
  },
  {
    name: "close leaves as a crash does",
    caughtBy: ["close gives back what is held, in its place and uncounted"],
    broker: (healthy) => ({ close: async () => healthy.crash() }),
  },
  {
    name: "close waits for every delivery",
    caughtBy: ["close ends within five seconds with a hundred deliveries in hand"],
    broker: (healthy, site) => ({ close: () => (site.heldBy(healthy).length > 0 ? forever() : healthy.close()) }),
  },
  {
    name: "close waits until the line is mended",
    caughtBy: ["close while cut off ends within five seconds and does not throw"],
    broker: (healthy) => {
      let opened = false;
      return {
        open(context) {
          opened = true;
          return healthy.open(context);
        },
        close: () => (opened && !healthy.connected ? forever() : healthy.close()),
      };
    },
  },
  {
    name: "close does nothing",
    caughtBy: [
      "a closed broker hands out nothing, and what it held is lost to it",
      "a closed broker hears no broadcasts",
      "the lease of a closed broker is free after its time at the latest",
    ],
    broker: () => ({ close: async () => undefined }),
  },
  {
    name: "a closed broker opens again, and is not open",
    caughtBy: ["a closed broker opens again, or rejects with a BrokerError that says why not"],
    broker: (healthy) => {
      let closed = false;
      return {
        open: async (context) => (closed ? undefined : healthy.open(context)),
        close() {
          closed = true;
          return healthy.close();
        },
      };
    },
  },
  {
    name: "declaring a queue empties it",
    caughtBy: ["declaring a queue again changes nothing"],
    broker: (healthy) => ({
      async declare(queues) {
        await healthy.declare(queues);
        for (const { name } of queues) await healthy.inspector.purge(name);
      },
    }),
  },
  {
    name: "declaring a queue in another shape does nothing",
    caughtBy: ["declaring a queue in another shape is refused with Q1004 and leaves it as it is"],
    broker: (healthy) => ({ declare: (queues) => healthy.declare(queues).catch(() => undefined) }),
  },
  {
    name: "the last broker takes the messages along",
    caughtBy: ["messages stay when every broker closes"],
    broker: (healthy, site) => ({
      async close() {
        const others = site.brokers.filter((broker) => broker !== healthy && broker.connected);
        if (others.length === 0 && healthy.connected)
          for (const queue of site.store.queueNames()) await healthy.inspector.purge(queue);
        await healthy.close();
      },
    }),
  },
  {
    name: "a failure is thrown into the air",
    caughtBy: ["no rejection is left unhandled: what fails, fails to its caller"],
    broker: (healthy) => ({
      publish(messages) {
        if (!healthy.connected) void healthy.publish(messages);
        return healthy.publish(messages);
      },
    }),
  },
  {
    name: "what a dead process held stays with the dead",
    caughtBy: [
      "what a dead process held goes to others within recoveryMs",
      "the lease of a dead holder is free after its time",
    ],
    crash: (healthy) => healthy.open({ logger: silentLogger }),
  },
  {
    name: "what a dead process held is thrown away",
    caughtBy: [
      "what a dead process held goes to others within recoveryMs",
      "of messages that are being settled during a crash, those without an answer come back or are done, and the others stay settled",
    ],
    async crash(healthy, site) {
      await Promise.all(site.heldBy(healthy).map((delivery) => delivery.settle({ kind: "ack" })));
      healthy.crash();
    },
  },
  {
    name: "what a dead process held comes back at the end of the queue, uncounted",
    caughtBy: [
      "what a dead process held comes back at the head of the queue, in order",
      "the first death counts for everything that was held",
    ],
    async crash(healthy, site) {
      await Promise.all(site.heldBy(healthy).map((delivery) => delivery.settle({ kind: "requeue", delayMs: 0 })));
      healthy.crash();
    },
  },
  {
    name: "crashes are counted from one",
    caughtBy: ["a message that nobody died with has no crashes"],
    broker: deliveries(({ crashes }) => ({ crashes: crashes + 1 })),
  },
  {
    name: "every death counts for everything that was held",
    caughtBy: ["from then on a death counts only for the suspect that was started: its neighbours never get past one"],
    async crash(healthy, site) {
      await Promise.all(site.heldBy(healthy).map((delivery) => delivery.start()));
      healthy.crash();
    },
  },
  {
    name: "the second death does not count",
    caughtBy: ["from then on a death counts only for the suspect that was started: its neighbours never get past one"],
    broker: deliveries(({ crashes }) => ({ crashes: Math.min(1, crashes) })),
  },
  {
    name: "garbage ends its consumer",
    caughtBy: ["garbage does not stop its neighbours"],
    broker: (healthy, site) => {
      let ended = false;
      return {
        consume: consumeWith(healthy, site, {
          handOut(delivery, onDelivery) {
            ended ||= "malformed" in delivery.message;
            if (!ended) onDelivery(delivery);
          },
        }),
      };
    },
  },
  {
    name: "garbage is delivered as text",
    caughtBy: ["garbage is delivered as malformed, with its bytes and what is wrong with them"],
    broker: deliveries(({ message }) =>
      "malformed" in message ? { message: { ...message, raw: Buffer.from(Buffer.from(message.raw).toString()) } } : {},
    ),
  },
  {
    name: "garbage that is given back is thrown away",
    caughtBy: ["garbage that is given back is delivered again"],
    broker: settling((outcome, delivery) =>
      outcome.kind === "release" && "malformed" in delivery.message ? delivery.settle({ kind: "ack" }) : undefined,
    ),
  },
  {
    name: "buried garbage is thrown away",
    caughtBy: ["buried garbage is listed with its bytes"],
    broker: settling((outcome, delivery) =>
      outcome.kind === "bury" && "malformed" in delivery.message ? delivery.settle({ kind: "ack" }) : undefined,
    ),
  },
  {
    name: "redrive puts garbage back, too",
    caughtBy: ["redrive leaves garbage dead"],
    broker: inspecting((inspector, _healthy, site) => ({
      async redrive(queue, entries) {
        for (const { entryId, message } of (await inspector.deadLetters(queue, { limit: 1000 })).items) {
          if (!("malformed" in message)) continue;
          await inspector.drop(queue, [entryId]);
          site.store.inject(queue, message.raw);
        }
        return entries.length;
      },
    })),
  },
];
