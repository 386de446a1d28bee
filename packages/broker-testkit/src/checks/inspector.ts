import assert from "node:assert/strict";
import { readyAtHeader, type QueueInspector, type QueueStats, type WaitingState } from "@q/core/broker";
import type { Check } from "../check.ts";
import { ackAll, labelOf, labelsOf, settleAll } from "../inbox.ts";
import { eventually } from "../wait.ts";
import { inspectorOf, type World } from "../world.ts";

const hourMs = 3_600_000;
const reason = { code: "failed", message: "broken" };

export const inspectorChecks: readonly Check[] = [
  {
    name: "stats count messages by state",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const inspector = inspectorOf(broker);
      await assertCounts(inspector, world, { ready: 0, delayed: 0, inFlight: 0, dead: 0 });
      await broker.publish(world.messages(6));
      await broker.publish(world.messages(2, { delayMs: hourMs }));
      await assertCounts(inspector, world, { ready: 6, delayed: 2, inFlight: 0, dead: 0 });
      const inbox = await world.consume(broker, { prefetch: 3 });
      const held = await inbox.take(3);
      await inbox.consumer.stop();
      await settleAll(held.slice(0, 2), { kind: "bury", reason });
      await assertCounts(inspector, world, { ready: 3, delayed: 2, inFlight: 1, dead: 2 });
    },
  },
  {
    name: "stats say for how long the oldest ready message has waited",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const inspector = inspectorOf(broker);
      if ((await inspector.stats(world.queue)).oldestReadyMs === null) return;
      assert.equal((await inspector.stats(world.queue)).oldestReadyMs, 0, "of an empty queue");
      // As core sends them: not every store keeps times of its own.
      const send = async (label: string): Promise<void> =>
        broker.publish([world.message(label, { headers: { task: "kit.check", [readyAtHeader]: Date.now() } })]);
      await send("old");
      await world.pause(60);
      await send("young");
      const { oldestReadyMs } = await inspector.stats(world.queue);
      assert.ok(
        oldestReadyMs !== null && oldestReadyMs >= 55 && oldestReadyMs < 60_000,
        `expected about 60 ms, got ${oldestReadyMs}`,
      );
    },
  },
  {
    name: "stats count the processes that consume",
    needs: ["inspector"],
    async run(world) {
      const [broker, other] = [await world.broker(), await world.broker()];
      const consumers = async (): Promise<number | null> => (await inspectorOf(broker).stats(world.queue)).consumers;
      if ((await consumers()) === null) return;
      assert.equal(await consumers(), 0);
      const inbox = await world.consume(broker);
      await world.consume(other);
      await eventually(async () => assert.equal(await consumers(), 2), world.soonMs);
      await inbox.consumer.stop();
      await eventually(async () => assert.equal(await consumers(), 1), world.soonMs);
    },
  },
  {
    name: "queues are listed in order of name",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const names = ["c", "a", "b"].map((label) => world.queueNamed(label));
      await broker.declare(names.map((name) => ({ name, priorities: false })));
      const listed = (await inspectorOf(broker).queues()).filter((name) => names.includes(name));
      assert.deepEqual(listed, names.toSorted());
    },
  },
  {
    name: "purge deletes what is ready or delayed, leaves what is in flight, and answers how many",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(5));
      await broker.publish(world.messages(2, { delayMs: 100 }));
      const inbox = await world.consume(broker, { prefetch: 1 });
      const [held] = await inbox.take(1);
      assert.ok(held !== undefined);
      assert.equal(await inspectorOf(broker).purge(world.queue), 6);
      await settleAll([held], { kind: "release" });
      assert.deepEqual(labelsOf(await inbox.take(1)), [labelOf(held)]);
      await ackAll(inbox.received.slice(1));
      await inbox.staysEmpty(100 + world.quietMs);
    },
  },
  {
    name: "a paused queue is not fetched from, in any process, until it is resumed",
    needs: ["inspector"],
    async run(world) {
      const [operator, worker] = [await world.broker(), await world.broker()];
      const inbox = await world.consume(worker);
      await inspectorOf(operator).pause(world.queue);
      await world.pause(world.latenessMs);
      await operator.publish(world.messages(3));
      await operator.publish([world.message("due during the pause", { delayMs: 10 })]);
      const late = await world.consume(await world.broker());
      await inbox.staysEmpty();
      await late.staysEmpty(0);
      await late.consumer.stop();
      await inspectorOf(operator).resume(world.queue);
      assert.deepEqual(labelsOf(await inbox.take(4)), ["1", "2", "3", "due during the pause"]);
    },
  },
  {
    name: "stats say whether a queue is paused",
    needs: ["inspector"],
    async run(world) {
      const [one, two] = [inspectorOf(await world.broker()), inspectorOf(await world.broker())];
      const paused = async (): Promise<boolean> => (await two.stats(world.queue)).paused;
      assert.equal(await paused(), false);
      await one.pause(world.queue);
      assert.equal(await paused(), true);
      await one.resume(world.queue);
      assert.equal(await paused(), false);
    },
  },
  {
    name: "what is held goes on while its queue is paused",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      await broker.publish([world.message("held")]);
      const inbox = await world.consume(broker);
      const held = await inbox.take(1);
      await inspectorOf(broker).pause(world.queue);
      await world.pause();
      assert.equal(held[0]?.lost.aborted, false);
      await ackAll(held);
    },
  },
  {
    name: "a pause is of one queue",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const other = world.queueNamed("other");
      await broker.declare([{ name: other, priorities: false }]);
      await inspectorOf(broker).pause(world.queue);
      await world.pause(world.latenessMs);
      const inbox = await world.consume(broker, { queues: [world.queue, other] });
      await broker.publish([world.message("paused"), world.message("running", { queue: other })]);
      assert.deepEqual(labelsOf(await inbox.take(1)), ["running"]);
      await inbox.staysEmpty();
    },
  },
  {
    name: "peek shows what is ready in pages, next first, complete and without repeats",
    needs: ["peek"],
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(25));
      assert.deepEqual(
        await peekAll(inspectorOf(broker), world, "ready"),
        Array.from({ length: 25 }, (_, index) => String(index + 1)),
      );
    },
  },
  {
    name: "peek shows what is delayed, the first due first, and what is in flight",
    needs: ["peek"],
    async run(world) {
      const broker = await world.broker();
      await broker.publish([world.message("held")]);
      await (await world.consume(broker)).take(1);
      for (const hours of [3, 1, 2])
        await broker.publish([world.message(`in ${hours} h`, { delayMs: hours * hourMs })]);
      assert.deepEqual(await peekAll(inspectorOf(broker), world, "delayed"), ["in 1 h", "in 2 h", "in 3 h"]);
      assert.deepEqual(await peekAll(inspectorOf(broker), world, "in-flight"), ["held"]);
      assert.deepEqual(await peekAll(inspectorOf(broker), world, "ready"), []);
    },
  },
  {
    name: "peek tells when a delayed message is due",
    needs: ["peek"],
    async run(world) {
      const broker = await world.broker();
      await broker.publish([world.message("delayed", { delayMs: hourMs })]);
      const page = await inspectorOf(broker).peek?.(world.queue, "delayed", { limit: 10 });
      const dueAt = page?.items[0]?.dueAt ?? Date.now() + hourMs;
      // The store's machine may have another idea of the time.
      assert.ok(Math.abs(dueAt - Date.now() - hourMs) < 60_000, `due at ${dueAt}`);
    },
  },
  {
    name: "peeking changes nothing",
    needs: ["peek"],
    async run(world) {
      const broker = await world.broker();
      const inspector = inspectorOf(broker);
      await broker.publish(world.messages(12));
      const before = counts(await inspector.stats(world.queue));
      for (let look = 0; look < 5; look += 1) await peekAll(inspector, world, "ready");
      assert.deepEqual(counts(await inspector.stats(world.queue)), before);
      const deliveries = await (await world.consume(broker)).take(12);
      assert.deepEqual(
        labelsOf(deliveries),
        Array.from({ length: 12 }, (_, index) => String(index + 1)),
      );
      assert.deepEqual(new Set(deliveries.map(({ crashes }) => crashes)), new Set([0]));
    },
  },
];

type Counts = Pick<QueueStats, "ready" | "delayed" | "inFlight" | "dead">;

function counts({ ready, delayed, inFlight, dead }: QueueStats): Counts {
  return { ready, delayed, inFlight, dead };
}

/** A broker may not know a number; those that it knows are right. */
async function assertCounts(inspector: QueueInspector, world: World, expected: Counts): Promise<void> {
  const known = counts(await inspector.stats(world.queue));
  assert.deepEqual(known, {
    ready: known.ready === null ? null : expected.ready,
    delayed: known.delayed === null ? null : expected.delayed,
    inFlight: known.inFlight === null ? null : expected.inFlight,
    dead: known.dead === null ? null : expected.dead,
  });
}

/** The labels of every page of ten. */
async function peekAll(inspector: QueueInspector, world: World, state: WaitingState): Promise<string[]> {
  assert.ok(inspector.peek !== undefined);
  const labels: string[] = [];
  for (let cursor: string | undefined; ;) {
    const { items, next } = await inspector.peek(world.queue, state, { limit: 10, cursor });
    assert.ok(items.length <= 10, `a page of ${items.length} with a limit of 10`);
    assert.deepEqual(new Set(items.map((item) => item.state)), new Set(items.length === 0 ? [] : [state]));
    for (const { message } of items)
      labels.push("malformed" in message ? "(malformed)" : Buffer.from(message.body).toString());
    if (next === null) return labels;
    assert.ok(labels.length < 1000, "the pages do not end");
    cursor = next;
  }
}
