import { createApp, retryHeaders, type Signature } from "@q/core";
import { silentLogger, type Delivery, type Outcome } from "@q/core/broker";
import { RedisServer } from "@q/test-servers";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RedisBroker } from "../src/redis-broker.ts";
import { prioritySteps, queueKeys } from "../src/keys.ts";
import { take } from "./messages.ts";
import { createBroker, testSettings } from "./redis-harness.ts";
import { anyMessage, anyObject } from "./wire/any-message.ts";
import { lintEnvelopes } from "./wire/lint.ts";

let server: RedisServer;
let broker: RedisBroker;

beforeAll(async () => {
  server = await RedisServer.start();
  broker = createBroker({ ...testSettings(server.url, ""), leaseMs: 30_000 });
  await broker.open({ logger: silentLogger });
});

afterAll(async () => {
  await broker.close();
  await server.stop();
});

const count = 60;

/** The broken rules of all that lies in a queue, and how much that is. */
async function lintQueue(queue: string): Promise<{ readonly broken: readonly string[]; readonly found: number }> {
  const { lists, delayed } = queueKeys(queue, "");
  const broken: string[] = [];
  let found = 0;
  for (const [index, list] of lists.entries()) {
    const ready = (await server.command("LRANGE", list, 0, -1)) as string[];
    const waiting = ((await server.command("ZRANGE", delayed, 0, -1)) as string[])
      // Behind the sequence: the list in which it will be, and the message.
      .flatMap((member) => (member.charAt(16) === String(index) ? [member.slice(17)] : []));
    broken.push(...lintEnvelopes([...ready, ...waiting], prioritySteps[index]));
    found += ready.length + waiting.length;
  }
  return { broken, found };
}

/** A queue of its own with some messages in it. */
async function filledQueue(name: string, priorities: boolean): Promise<string> {
  const queue = `${name}-${priorities ? "urgent" : "plain"}`;
  await broker.declare([{ name: queue, priorities }]);
  const messages = fc.sample(anyMessage, count).map((message) => ({ ...message, queue }));
  await broker.publish(messages.map((message, index) => ({ ...message, delayMs: index % 3 === 0 ? 20 : 0 })));
  return queue;
}

async function settleAll(queue: string, outcomeOf: (delivery: Delivery, index: number) => Outcome): Promise<void> {
  const deliveries = await take(broker, count, queue);
  await Promise.all(deliveries.map((delivery, index) => delivery.settle(outcomeOf(delivery, index))));
}

function headersOf({ message }: Pick<Delivery, "message">): ReturnType<typeof retryHeaders> {
  if ("malformed" in message) throw new Error(`expected a message, got something malformed: ${message.malformed}`);
  return retryHeaders(message.headers, { retries: 1, etaMs: Date.now(), parentId: message.id });
}

describe.each([
  { kind: "with priorities", priorities: true },
  { kind: "without priorities", priorities: false },
])("in a queue $kind, all that is left in Redis is fit for Celery", ({ priorities }) => {
  test("after a publish, at once and delayed", async () => {
    const queue = await filledQueue("published", priorities);
    expect(await lintQueue(queue)).toEqual({ broken: [], found: count });
  });

  test("after a retry, at once and delayed, and after being put back unchanged", async () => {
    const queue = await filledQueue("retried", priorities);
    await settleAll(queue, (delivery, index) => {
      if (index % 4 === 3) return { kind: "release" };
      const headers = index % 4 === 2 ? {} : { headers: headersOf(delivery) };
      return { kind: "requeue", delayMs: index % 4 === 1 ? 20 : 0, ...headers };
    });
    expect(await lintQueue(queue)).toEqual({ broken: [], found: count });
  });

  test("after a person has put the dead back", async () => {
    const queue = await filledQueue("redriven", priorities);
    await settleAll(queue, () => ({ kind: "bury", reason: { code: "failed", message: "of no interest" } }));
    const { items } = await broker.inspector.deadLetters(queue, { limit: count });
    const redrives = items.map(({ entryId, message }, index) => ({
      entryId,
      ...(index % 2 === 0 ? {} : { headers: headersOf({ message }) }),
    }));
    expect(await broker.inspector.redrive(queue, redrives)).toBe(count);
    expect(await lintQueue(queue)).toEqual({ broken: [], found: count });
  });
});

test("what an app sends is fit for Celery, with every option there is", async () => {
  const app = createApp({ broker, queues: ["sent", { name: "sent_urgent", priorities: true }] });
  const all = fc.sample(anyObject, count).map((args, index): Signature => ({
    task: "events.save",
    args,
    options: {
      queue: index % 2 === 0 ? "sent" : "sent_urgent",
      priority: index % 10,
      headers: { tenant: "t1" },
      maxRetries: 5,
      ...(index % 3 === 0 ? { countdown: "5m", key: `key ${index}` } : {}),
      ...(index % 3 === 1 ? { expires: "1.5s", timeLimit: "1m", softTimeLimit: "250ms" } : {}),
      ...(index % 3 === 2 ? { eta: new Date(Date.now() + 60_000) } : {}),
    },
  }));
  await app.sendMany(all);
  for (const queue of ["sent", "sent_urgent"]) {
    expect(await lintQueue(queue)).toEqual({ broken: [], found: count / 2 });
  }
});

test("while none of ours has been at a queue, a delay waits in its list, where Celery looks; afterwards apart from it", async () => {
  const queue = "of_celery";
  const app = createApp({ broker, queues: [queue] });
  const { lists, delayed } = queueKeys(queue, "");
  const places = async (): Promise<unknown> => [
    await server.command("LLEN", lists[0] ?? ""),
    await server.command("ZCARD", delayed),
  ];
  await app.sendTask("python.report", {}, { countdown: "5m" });
  await app.sendTask("python.report", {}, { countdown: "5m", key: "once" });
  expect(await places()).toEqual([2, 0]);
  for (const delivery of await take(broker, 2, queue)) await delivery.settle({ kind: "ack" });
  await app.sendTask("python.report", {}, { countdown: "5m" });
  await app.sendTask("python.report", {}, { countdown: "5m", key: "twice" });
  expect(await places()).toEqual([0, 2]);
});
