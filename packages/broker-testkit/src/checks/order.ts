import assert from "node:assert/strict";
import type { Check } from "../check.ts";
import { settleAll, takeOneByOne, wellFormed } from "../inbox.ts";

export const orderChecks: readonly Check[] = [
  {
    name: "messages come in the order of sending",
    async run(world) {
      const broker = await world.broker();
      const expected = world.messages(30);
      for (const message of expected) await broker.publish([message]);
      const inbox = await world.consume(broker, { prefetch: 1 });
      assert.deepEqual(
        await takeOneByOne(inbox, 30),
        expected.map(({ body }) => Buffer.from(body).toString()),
      );
    },
  },
  {
    name: "messages of higher priority come first",
    async run(world) {
      const broker = await world.broker({ priorities: true });
      for (const priority of [0, 5, 9, 3]) await broker.publish([world.message(`p${priority}`, { priority })]);
      const inbox = await world.consume(broker, { prefetch: 1 });
      assert.deepEqual(await takeOneByOne(inbox, 4), ["p9", "p5", "p3", "p0"]);
    },
  },
  {
    name: "messages of one priority come in the order of sending",
    async run(world) {
      const broker = await world.broker({ priorities: true });
      await broker.publish(
        ["a", "b", "c"].flatMap((label) => [
          world.message(`low ${label}`, { priority: 1 }),
          world.message(`high ${label}`, { priority: 8 }),
        ]),
      );
      const inbox = await world.consume(broker, { prefetch: 1 });
      assert.deepEqual(await takeOneByOne(inbox, 6), ["high a", "high b", "high c", "low a", "low b", "low c"]);
    },
  },
  {
    name: "a queue without priorities ignores them",
    async run(world) {
      const broker = await world.broker();
      for (const priority of [0, 9, 5]) await broker.publish([world.message(`p${priority}`, { priority })]);
      const inbox = await world.consume(broker, { prefetch: 1 });
      assert.deepEqual(await takeOneByOne(inbox, 3), ["p0", "p9", "p5"]);
    },
  },
  {
    name: "a message keeps its priority through a requeue, also a delayed one",
    async run(world) {
      const [broker, other] = [await world.broker({ priorities: true }), await world.broker({ priorities: true })];
      await broker.publish([world.message("urgent", { priority: 9 }), world.message("retried", { priority: 9 })]);
      const inbox = await world.consume(broker, { prefetch: 2 });
      const [urgent, retried] = await inbox.take(2);
      assert.ok(urgent !== undefined && retried !== undefined);
      await inbox.consumer.stop();
      await broker.publish([world.message("ordinary")]);
      assert.equal(wellFormed(urgent).priority, 9);
      await settleAll([urgent], { kind: "requeue", delayMs: 0 });
      await settleAll([retried], { kind: "requeue", delayMs: 20 });
      await world.pause(20 + world.latenessMs);
      assert.deepEqual(await takeOneByOne(await world.consume(other, { prefetch: 1 }), 3), [
        "urgent",
        "retried",
        "ordinary",
      ]);
    },
  },
];
