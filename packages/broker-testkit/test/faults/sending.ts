import { setTimeout } from "node:timers/promises";
import { BrokerError, PublishRejected, type Broker, type OutgoingMessage } from "@q/core/broker";
import type { MemoryBroker } from "@q/core/testing";
import { forever, note, plainProperties, publishing, reverse, type Fault } from "./fault.ts";

const longest32BitMs = 2 ** 31 - 1;

/** Broken promises about publishing, delays and order. */
export const sendingFaults: readonly Fault[] = [
  {
    name: "publish resolves before it has stored",
    caughtBy: [
      "publish resolves only when another broker can have the message",
      "what publish had resolved survives the crash of who sent it",
    ],
    broker: (healthy, site) => ({
      publish: async (messages) => site.later(20, () => healthy.publish(messages).catch(() => undefined)),
    }),
  },
  {
    name: "a batch is stored last message first",
    caughtBy: ["a batch keeps its order", "messages of one priority come in the order of sending"],
    broker: (healthy) => ({ publish: (messages) => healthy.publish(messages.toReversed()) }),
  },
  {
    name: "a batch is cut at five hundred",
    caughtBy: ["a batch of a thousand messages arrives whole and in order"],
    broker: (healthy) => ({ publish: (messages) => healthy.publish(messages.slice(0, 500)) }),
  },
  {
    name: "a whole batch goes to the queue of its first message",
    caughtBy: ["a batch may go to several queues"],
    broker: (healthy) => ({
      publish: (messages) =>
        healthy.publish(messages.map((message) => ({ ...message, queue: messages[0]?.queue ?? message.queue }))),
    }),
  },
  {
    name: "signs in queue names are all the same",
    caughtBy: ["queues whose names differ in one sign are two queues"],
    broker: publishing((message) => ({ ...message, queue: message.queue.replace(/[^a-z0-9]/gi, "-") })),
  },
  {
    name: "an empty batch stores an empty message",
    caughtBy: ["an empty batch resolves and stores nothing"],
    broker: (healthy, site) => ({
      async publish(messages) {
        if (messages.length > 0) return healthy.publish(messages);
        for (const queue of site.store.queueNames()) await healthy.publish([emptyMessage(queue)]);
      },
    }),
  },
  {
    name: "bodies go through text",
    caughtBy: ["a body of any bytes comes back byte for byte"],
    broker: publishing((message) => ({ ...message, body: Buffer.from(Buffer.from(message.body).toString("utf8")) })),
  },
  {
    name: "text is written in Latin-1",
    caughtBy: ["a body that is text is its bytes in UTF-8"],
    broker: publishing((message) => ({
      ...message,
      body: typeof message.body === "string" ? Buffer.from(message.body, "latin1") : message.body,
    })),
  },
  {
    name: "an empty body becomes null",
    caughtBy: ["an empty body comes back empty"],
    broker: publishing((message) => ({
      ...message,
      body: message.body.length === 0 ? Buffer.from("null") : message.body,
    })),
  },
  {
    name: "bodies are cut at 64 KiB",
    caughtBy: ["a body of 256 KiB comes back whole"],
    broker: publishing((message) => ({ ...message, body: message.body.slice(0, 65_536) })),
  },
  {
    name: "headers that the broker does not know are dropped",
    caughtBy: ["headers come back unchanged: unicode, nested, and fields that nobody knows"],
    broker: publishing((message) => ({ ...message, headers: { task: message.headers["task"] ?? null } })),
  },
  {
    name: "properties are those of every message",
    caughtBy: ["properties come back unchanged, and those that were absent stay absent"],
    broker: publishing((message) => ({ ...message, properties: plainProperties })),
  },
  {
    name: "ids are cut at a hundred characters",
    caughtBy: ["an id comes back unchanged, up to 255 bytes"],
    broker: publishing((message) => ({ ...message, id: message.id.slice(0, 100) })),
  },
  {
    name: "messages are told apart by id alone",
    caughtBy: [
      "two messages with the same id and the same bytes are two messages",
      "two delayed messages with the same id, bytes and time are two messages",
    ],
    broker: (healthy, site) => ({
      publish(messages) {
        const known = note(site, "ids", () => new Set<string>());
        return healthy.publish(messages.filter(({ id }) => !known.has(id) && known.add(id)));
      },
    }),
  },
  {
    name: "publish waits for a connection for ever",
    caughtBy: [
      "publish on a broker that is not open says that nothing was stored",
      "publish on a closed broker says that nothing was stored",
      "publish while cut off ends, and says whether the message may be stored",
    ],
    broker: (healthy) => ({ publish: (messages) => (healthy.connected ? healthy.publish(messages) : forever()) }),
  },
  {
    name: "publish does not say whether the message may be stored",
    caughtBy: [
      "publish while cut off ends, and says whether the message may be stored",
      "publish on a broker that is not open says that nothing was stored",
      "publish on a closed broker says that nothing was stored",
    ],
    broker: (healthy) => ({
      publish: (messages) =>
        healthy.publish(messages).catch(() => {
          throw new BrokerError("Q1001", "something went wrong");
        }),
    }),
  },
  {
    name: "what publish rejected is sent after all, when the line is mended",
    caughtBy: ["what publish rejected is not stored, and publishing works again after the interruption"],
    broker: (healthy) => {
      const rejected: OutgoingMessage[] = [];
      return {
        publish: (messages) =>
          healthy.publish([...rejected.splice(0), ...messages]).catch((error: unknown) => {
            if (error instanceof PublishRejected) rejected.push(...messages);
            throw error;
          }),
      };
    },
  },
  {
    name: "delays are forgotten",
    caughtBy: ["a delayed message never comes early", "publishOnce keeps a delay"],
    broker: publishing((message) => ({ ...message, delayMs: 0 })),
  },
  {
    name: "delayed messages are looked for twice a second",
    caughtBy: ["a delayed message comes at most latenessMs late"],
    broker: publishing((message) => ({
      ...message,
      ...(message.delayMs === undefined ? {} : { delayMs: message.delayMs + 600 }),
    })),
  },
  {
    name: "messages wait for those that were sent before them",
    caughtBy: [
      "a short delay is not held up by a longer one",
      "a delayed message does not hold up those that are ready",
    ],
    broker: publishing((message, site) => {
      const longest = note(site, "longest", () => ({ delayMs: 0 }));
      longest.delayMs = Math.max(longest.delayMs, message.delayMs ?? 0);
      return { ...message, delayMs: longest.delayMs };
    }),
  },
  {
    name: "delays that do not fit into 32 bits are none",
    caughtBy: ["a message delayed for two months waits"],
    broker: publishing((message) => ({
      ...message,
      delayMs: (message.delayMs ?? 0) > longest32BitMs ? 1 : (message.delayMs ?? 0),
    })),
  },
  {
    name: "delayed messages wait in the memory of who sends them",
    caughtBy: [
      "a delayed message survives that its broker closes",
      "a delayed message survives the crash of who sent it and of who requeued it",
    ],
    broker: (healthy, site) => ({
      async publish(messages) {
        await healthy.publish(messages.filter(({ delayMs }) => delayMs === undefined));
        for (const { delayMs, ...message } of messages) {
          if (delayMs !== undefined) site.later(delayMs, () => healthy.publish([message]).catch(() => undefined));
        }
      },
    }),
  },
  {
    name: "of messages due at one time, a hundred are found",
    caughtBy: ["five hundred messages due at the same time all come"],
    broker: (healthy) => ({
      publish: (messages) =>
        healthy.publish(messages.filter(({ delayMs }, index) => delayMs === undefined || index < 100)),
    }),
  },
  {
    name: "the queue is a stack",
    caughtBy: [
      "messages come in the order of sending",
      "a consumer of a queue that is already full begins with its oldest message",
    ],
    broker: (healthy, site) => ({
      async publish(messages) {
        await healthy.publish(messages);
        for (const queue of new Set(messages.map((message) => message.queue))) reverse(site, queue);
      },
    }),
  },
  {
    name: "priorities are ignored",
    caughtBy: [
      "messages of higher priority come first",
      "a message keeps its priority through a requeue, also a delayed one",
    ],
    broker: publishing((message) => ({ ...message, priority: 0 })),
  },
  {
    name: "every queue has priorities",
    caughtBy: [
      "a queue without priorities ignores them",
      "declaring a queue in another shape is refused with Q1004 and leaves it as it is",
    ],
    broker: (healthy) => ({
      declare: (queues) => healthy.declare(queues.map(({ name }) => ({ name, priorities: true }))),
    }),
  },
  {
    name: "publishOnce says published and stores nothing",
    caughtBy: ["publishOnce stores the message that it says it published"],
    broker: (healthy) => once(healthy, async () => "published"),
  },
  {
    name: "each process has its own once keys",
    caughtBy: [
      "a key that was used publishes nothing, in any process, also when its message is done",
      "of eight processes that publish with the same key at the same time, one does",
    ],
    broker: (healthy, site) =>
      once(healthy, (message, key, ttlMs) =>
        healthy.once.publishOnce(message, `${key} ${site.brokers.indexOf(healthy)}`, ttlMs),
      ),
  },
  {
    name: "a once key is looked up, and marked afterwards",
    caughtBy: ["of eight processes that publish with the same key at the same time, one does"],
    broker: (healthy, site) => {
      const used = note(site, "keys", () => new Set<string>());
      return once(healthy, async (message, key) => {
        if (used.has(key)) return "duplicate";
        await healthy.publish([message]);
        used.add(key);
        return "published";
      });
    },
  },
  {
    name: "once keys are compared without their case",
    caughtBy: ["different keys do not hinder each other"],
    broker: (healthy) =>
      once(healthy, (message, key, ttlMs) => healthy.once.publishOnce(message, key.toLowerCase(), ttlMs)),
  },
  {
    name: "once keys are of all queues together",
    caughtBy: ["the same key in another queue is another key"],
    broker: (healthy, site) => {
      const used = note(site, "keys", () => new Set<string>());
      return once(healthy, async (message, key) => {
        if (used.has(key)) return "duplicate";
        used.add(key);
        await healthy.publish([message]);
        return "published";
      });
    },
  },
  {
    name: "once keys stay used",
    caughtBy: ["a key can be used again after its time, and not before"],
    broker: (healthy) => once(healthy, (message, key) => healthy.once.publishOnce(message, key, 3_600_000)),
  },
  {
    name: "once keys are free long before their time",
    caughtBy: ["a key can be used again after its time, and not before"],
    broker: (healthy) => once(healthy, (message, key) => healthy.once.publishOnce(message, key, 50)),
  },
  {
    name: "once keys are free long before their time, and the machine stalls while the first is held",
    caughtBy: ["a key can be used again after its time, and not before"],
    broker: (healthy, site) => {
      const calls = note(site, "calls", () => ({ count: 0 }));
      return once(healthy, async (message, key, ttlMs) => {
        calls.count += 1;
        if (calls.count === 2) await setTimeout(ttlMs);
        return healthy.once.publishOnce(message, key, 50);
      });
    },
  },
];

function emptyMessage(queue: string): OutgoingMessage {
  return { id: "empty", queue, priority: 0, headers: {}, properties: plainProperties, body: new Uint8Array() };
}

function once(healthy: MemoryBroker, publishOnce: MemoryBroker["once"]["publishOnce"]): Partial<Broker> {
  return {
    once: {
      publishOnce: async (message, key, ttlMs) => (healthy.connected ? publishOnce(message, key, ttlMs) : forever()),
    },
  };
}
