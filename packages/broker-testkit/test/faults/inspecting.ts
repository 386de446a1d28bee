import { inspecting, reverse, type Fault } from "./fault.ts";

/** Broken promises about what an operator sees and does. */
export const inspectingFaults: readonly Fault[] = [
  {
    name: "what is in flight counts as ready",
    caughtBy: ["stats count messages by state"],
    broker: inspecting((inspector) => ({
      async stats(queue) {
        const stats = await inspector.stats(queue);
        return { ...stats, ready: (stats.ready ?? 0) + (stats.inFlight ?? 0), inFlight: 0 };
      },
    })),
  },
  {
    name: "the oldest message is always new",
    caughtBy: ["stats say for how long the oldest ready message has waited"],
    broker: inspecting((inspector) => ({
      stats: async (queue) => ({ ...(await inspector.stats(queue)), oldestReadyMs: 0 }),
    })),
  },
  {
    name: "who asks is the only consumer",
    caughtBy: ["stats count the processes that consume"],
    broker: inspecting((inspector) => ({
      stats: async (queue) => ({ ...(await inspector.stats(queue)), consumers: 1 }),
    })),
  },
  {
    name: "queues are listed last name first",
    caughtBy: ["queues are listed in order of name"],
    broker: inspecting((inspector) => ({ queues: async () => (await inspector.queues()).toReversed() })),
  },
  {
    name: "purge takes what is in flight, too",
    caughtBy: ["purge deletes what is ready or delayed, leaves what is in flight, and answers how many"],
    broker: inspecting((inspector, healthy, site) => ({
      async purge(queue) {
        const count = await inspector.purge(queue);
        await Promise.all(site.heldBy(healthy).map((delivery) => delivery.settle({ kind: "ack" })));
        return count;
      },
    })),
  },
  {
    name: "purge forgets what is delayed",
    caughtBy: ["purge deletes what is ready or delayed, leaves what is in flight, and answers how many"],
    broker: inspecting((inspector, healthy) => ({
      async purge(queue) {
        const delayed = (await inspector.peek(queue, "delayed", { limit: 1000 })).items;
        const count = await inspector.purge(queue);
        for (const { message } of delayed) if ("id" in message) await healthy.publish([{ ...message, delayMs: 100 }]);
        return count;
      },
    })),
  },
  {
    name: "pause does nothing",
    caughtBy: [
      "a paused queue is not fetched from, in any process, until it is resumed",
      "stats say whether a queue is paused",
    ],
    broker: inspecting(() => ({ pause: async () => undefined })),
  },
  {
    name: "pause takes back what is held",
    caughtBy: ["what is held goes on while its queue is paused"],
    broker: inspecting((inspector, _healthy, site) => ({
      async pause(queue) {
        await inspector.pause(queue);
        for (const broker of site.brokers) broker.expire();
      },
    })),
  },
  {
    name: "pause is for all queues",
    caughtBy: ["a pause is of one queue"],
    broker: inspecting((inspector) => ({
      async pause() {
        for (const queue of await inspector.queues()) await inspector.pause(queue);
      },
    })),
  },
  {
    name: "a page begins with the last one of the page before",
    caughtBy: ["peek shows what is ready in pages, next first, complete and without repeats"],
    broker: inspecting((inspector) => ({
      peek: (queue, state, { limit, cursor }) =>
        inspector.peek(queue, state, { limit, cursor: cursor === undefined ? undefined : String(Number(cursor) - 1) }),
    })),
  },
  {
    name: "delayed messages are shown last first",
    caughtBy: ["peek shows what is delayed, the first due first, and what is in flight"],
    broker: inspecting((inspector) => ({
      async peek(queue, state, options) {
        const { items, next } = await inspector.peek(queue, state, options);
        return { items: state === "delayed" ? items.toReversed() : items, next };
      },
    })),
  },
  {
    name: "due times are in seconds",
    caughtBy: ["peek tells when a delayed message is due"],
    broker: inspecting((inspector) => ({
      async peek(queue, state, options) {
        const { items, next } = await inspector.peek(queue, state, options);
        return {
          items: items.map((item) => ({ ...item, dueAt: item.dueAt === null ? null : item.dueAt / 1000 })),
          next,
        };
      },
    })),
  },
  {
    name: "peek takes messages and puts them back",
    caughtBy: ["peeking changes nothing"],
    broker: inspecting((inspector, _healthy, site) => ({
      async peek(queue, state, options) {
        const page = await inspector.peek(queue, state, options);
        if (page.next === null) reverse(site, queue);
        return page;
      },
    })),
  },
];
