import assert from "node:assert/strict";
import type { Check } from "../check.ts";
import { ackAll, labelOf, labelsOf, settleAll, wellFormed } from "../inbox.ts";

const hourMs = 3_600_000;
/** Stores count in whole milliseconds: one is lost when storing, one when looking. */
const roundingMs = 2;

export const delayChecks: readonly Check[] = [
  {
    name: "a delayed message never comes early",
    async run(world) {
      const broker = await world.broker();
      const arrivedAt = new Map<string, number>();
      const inbox = await world.consume(broker);
      inbox.onDelivery = (delivery) => void arrivedAt.set(labelOf(delivery), performance.now());
      const delays = [1, 5, 20, 50, 90, 140, 200, 270];
      const sentAt = performance.now();
      for (const delayMs of delays) await broker.publish([world.message(String(delayMs), { delayMs })]);
      await inbox.take(delays.length, world.soonMs + 300);
      for (const delayMs of delays) {
        const waitedMs = (arrivedAt.get(String(delayMs)) ?? 0) - sentAt;
        assert.ok(waitedMs >= delayMs - roundingMs, `a delay of ${delayMs} ms took only ${waitedMs} ms`);
      }
    },
  },
  {
    name: "a delayed message comes at most latenessMs late",
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const inbox = await world.consume(receiver);
      const latenesses: number[] = [];
      for (const delayMs of [30, 60, 90]) {
        await sender.publish([world.message("delayed", { delayMs })]);
        const sentAt = performance.now();
        await ackAll([await inbox.takeOne(world.soonMs + delayMs)]);
        latenesses.push(performance.now() - sentAt - delayMs);
      }
      // The median: one hiccup of the machine is not the broker's fault.
      const median = latenesses.toSorted((a, b) => a - b)[1] ?? Infinity;
      assert.ok(median <= world.latenessMs, `expected at most ${world.latenessMs} ms, got ${Math.round(median)} ms`);
    },
  },
  {
    name: "a short delay is not held up by a longer one",
    async run(world) {
      const broker = await world.broker();
      await broker.publish([world.message("long", { delayMs: hourMs })]);
      const inbox = await world.consume(broker);
      await broker.publish([world.message("short", { delayMs: 50 })]);
      assert.deepEqual(labelsOf(await inbox.take(1, world.soonMs + 50)), ["short"]);
    },
  },
  {
    name: "a delayed message does not hold up those that are ready",
    async run(world) {
      const broker = await world.broker();
      await broker.publish([world.message("delayed", { delayMs: hourMs }), world.message("ready")]);
      const inbox = await world.consume(broker, { prefetch: 1 });
      assert.deepEqual(labelsOf(await inbox.take(1)), ["ready"]);
    },
  },
  {
    name: "a message delayed for two months waits",
    async run(world) {
      const broker = await world.broker();
      // More milliseconds than a timer of 32 bits can count.
      await broker.publish([world.message("far away", { delayMs: 60 * 24 * hourMs })]);
      await (await world.consume(broker)).staysEmpty();
      assert.equal((await broker.inspector?.stats(world.queue))?.delayed ?? 1, 1);
    },
  },
  {
    name: "a message requeued with a delay never comes early",
    async run(world) {
      const broker = await world.broker();
      await broker.publish([world.message("again")]);
      const inbox = await world.consume(broker);
      const first = await inbox.takeOne();
      const requeuedAt = performance.now();
      await settleAll([first], { kind: "requeue", delayMs: 150, headers: { retries: 1 } });
      const again = await inbox.takeOne(world.soonMs + 150);
      const waitedMs = performance.now() - requeuedAt;
      assert.deepEqual(wellFormed(again).headers, { retries: 1 });
      assert.ok(waitedMs >= 150 - roundingMs, `a delay of 150 ms took only ${waitedMs} ms`);
    },
  },
  {
    name: "a delayed message survives that its broker closes",
    async run(world) {
      const sender = await world.broker();
      await sender.publish([world.message("survivor", { delayMs: 100 })]);
      await sender.close();
      const inbox = await world.consume(await world.broker());
      assert.deepEqual(labelsOf(await inbox.take(1, world.soonMs + 100)), ["survivor"]);
    },
  },
  {
    name: "five hundred messages due at the same time all come",
    async run(world) {
      const broker = await world.broker();
      const inbox = await world.consume(broker, { prefetch: 50 });
      inbox.onDelivery = (delivery) => ackAll([delivery]);
      await broker.publish(world.messages(500, { delayMs: 100 }));
      const deliveries = await inbox.take(500, world.soonMs + 100);
      assert.equal(new Set(labelsOf(deliveries)).size, 500);
      await inbox.staysEmpty();
    },
  },
  {
    name: "two delayed messages with the same id, bytes and time are two messages",
    async run(world) {
      const broker = await world.broker();
      const message = world.message("twin", { delayMs: 60 });
      await broker.publish([message, message]);
      const inbox = await world.consume(broker);
      const twins = await inbox.take(2, world.soonMs + 60);
      await settleAll(twins, { kind: "requeue", delayMs: 60 });
      assert.deepEqual(labelsOf(await inbox.take(2, world.soonMs + 60)), ["twin", "twin"]);
      await inbox.staysEmpty();
    },
  },
];
