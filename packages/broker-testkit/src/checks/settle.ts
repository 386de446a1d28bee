import assert from "node:assert/strict";
import type { Delivery, Outcome } from "@q/core/broker";
import type { Check } from "../check.ts";
import { ack, ackAll, labelsOf, settleAll, takeOneByOne, wellFormed, type Inbox } from "../inbox.ts";
import { within } from "../wait.ts";
import { inspectorOf, type World } from "../world.ts";

const reason = { code: "failed", message: "the check says so" };

export const settleChecks: readonly Check[] = [
  {
    name: "an acked message does not come again",
    async run(world) {
      const { inbox, delivery } = await hold(world);
      await ack(delivery);
      await inbox.staysEmpty();
    },
  },
  {
    name: "an acked message is counted nowhere",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(3));
      const inbox = await world.consume(broker);
      await ackAll(await inbox.take(3));
      const { ready, delayed, inFlight, dead } = await inspectorOf(broker).stats(world.queue);
      // A broker may not know a number; what it knows is zero.
      assert.deepEqual(
        { ready: ready ?? 0, delayed: delayed ?? 0, inFlight: inFlight ?? 0, dead: dead ?? 0 },
        { ready: 0, delayed: 0, inFlight: 0, dead: 0 },
      );
    },
  },
  {
    name: "a requeued message comes again, unchanged and with no crashes",
    async run(world) {
      const { inbox, delivery } = await hold(world);
      await settleAll([delivery], { kind: "requeue", delayMs: 0 });
      const again = await inbox.takeOne();
      assert.deepEqual(plain(again), plain(delivery));
      assert.equal(again.crashes, 0);
    },
  },
  {
    name: "requeue replaces the whole header table when it is given one",
    async run(world) {
      const { inbox, delivery } = await hold(world);
      const headers = { retries: 1, "neu 🆕": ["x"] };
      await settleAll([delivery], { kind: "requeue", delayMs: 0, headers });
      assert.deepEqual(wellFormed(await inbox.takeOne()).headers, headers);
    },
  },
  {
    name: "a requeued message goes behind those that wait",
    async run(world) {
      assert.deepEqual(await orderAfter(world, { kind: "requeue", delayMs: 0 }), ["2", "3", "1"]);
    },
  },
  {
    name: "a released message is the next one again, unchanged",
    async run(world) {
      assert.deepEqual(await orderAfter(world, { kind: "release" }), ["1", "2", "3"]);
    },
  },
  {
    name: "a released message keeps headers, properties and bytes",
    async run(world) {
      const { inbox, delivery } = await hold(world);
      await settleAll([delivery], { kind: "release" });
      assert.deepEqual(plain(await inbox.takeOne()), plain(delivery));
    },
  },
  {
    name: "a buried message does not come again",
    async run(world) {
      const { inbox, delivery } = await hold(world);
      await settleAll([delivery], { kind: "bury", reason });
      await inbox.staysEmpty();
    },
  },
  {
    name: "a second settle answers lost and changes nothing",
    async run(world) {
      const { inbox, delivery } = await hold(world);
      await ack(delivery);
      assert.equal(await delivery.settle({ kind: "requeue", delayMs: 0 }), "lost");
      assert.equal(await delivery.settle({ kind: "ack" }), "lost");
      await inbox.staysEmpty();
    },
  },
  {
    name: "settling one of two messages with the same id leaves the other as it is",
    async run(world) {
      const broker = await world.broker();
      const message = world.message("twin");
      await broker.publish([message, message]);
      const inbox = await world.consume(broker, { prefetch: 2 });
      const [first, second] = await inbox.take(2);
      assert.ok(first !== undefined && second !== undefined);
      await inbox.consumer.stop();
      await ack(first);
      await settleAll([second], { kind: "release" });
      const others = await world.consume(await world.broker());
      assert.deepEqual(labelsOf(await others.take(1)), ["twin"]);
      await others.staysEmpty();
    },
  },
  {
    name: "messages are settled in any order",
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(10));
      const inbox = await world.consume(broker);
      const held = await inbox.take(10);
      for (const at of [4, 9, 0, 7, 2, 5, 8, 1, 6, 3]) await ackAll(held.slice(at, at + 1));
      await broker.close();
      await (await world.consume(await world.broker())).staysEmpty();
    },
  },
  {
    name: "a hundred messages settled at the same time get a hundred answers, each its own",
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(100));
      const inbox = await world.consume(broker);
      const held = await inbox.take(100);
      const kept = held.filter((_, index) => index % 3 === 0);
      const answers = held.map((delivery, index) =>
        delivery.settle(index % 3 === 0 ? { kind: "requeue", delayMs: 0 } : { kind: "ack" }),
      );
      assert.deepEqual(
        await Promise.all(answers),
        Array.from({ length: 100 }, () => "settled"),
      );
      const again = await inbox.take(kept.length);
      assert.deepEqual(labelsOf(again).toSorted(), labelsOf(kept).toSorted());
      await ackAll(again);
      await inbox.staysEmpty();
    },
  },
  {
    name: "start answers settled while the message is held, and lost when it is not",
    async run(world) {
      const { delivery } = await hold(world);
      assert.equal(await delivery.start(), "settled");
      assert.equal(await delivery.start(), "settled");
      await ack(delivery);
      assert.equal(await delivery.start(), "lost");
    },
  },
  {
    name: "a settle while cut off ends, and does not claim to be settled",
    needs: ["interrupt"],
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      await sender.publish([world.message("cut off")]);
      const inbox = await world.consume(receiver);
      const delivery = await inbox.takeOne();
      const restore = await world.interrupt(receiver);
      const answer = await within(
        delivery.settle({ kind: "ack" }).catch(() => "unknown"),
        world.soonMs,
        "settle ends while cut off",
      );
      assert.notEqual(answer, "settled", "settle cannot know that the store has it");
      await restore();
    },
  },
];

/** One message in hand, of a consumer that could have more. */
async function hold(world: World): Promise<{ inbox: Inbox; delivery: Delivery }> {
  const broker = await world.broker();
  const properties = {
    contentType: "application/json",
    contentEncoding: "utf-8",
    correlationId: "c-1",
    replyTo: "r-1",
  };
  await broker.publish([world.message("held", { properties, headers: { task: "kit", unknown: { ä: [1, null] } } })]);
  const inbox = await world.consume(broker);
  return { inbox, delivery: await inbox.takeOne() };
}

/** Takes the first of three messages, settles it so, and answers the order in which another broker gets them then. */
async function orderAfter(world: World, outcome: Outcome): Promise<string[]> {
  const [broker, other] = [await world.broker(), await world.broker()];
  await broker.publish(world.messages(3));
  const inbox = await world.consume(broker, { prefetch: 1 });
  const first = await inbox.takeOne();
  await inbox.consumer.stop();
  await settleAll([first], outcome);
  return takeOneByOne(await world.consume(other, { prefetch: 1 }), 3);
}

/** What must not change. A body may come as a Buffer or as a plain array. */
function plain(delivery: Delivery): object {
  const message = wellFormed(delivery);
  return { ...message, body: Buffer.from(message.body).toString("hex") };
}
