import assert from "node:assert/strict";
import type { Broker } from "@q/core/broker";
import type { Check } from "../check.ts";
import { ack, ackAll, labelsOf, wellFormed } from "../inbox.ts";
import { onceOf, type World } from "../world.ts";

/** Long enough never to end within a check. */
const longTtlMs = 3_600_000;

export const onceChecks: readonly Check[] = [
  {
    name: "publishOnce stores the message that it says it published",
    needs: ["once"],
    async run(world) {
      const broker = await world.broker();
      const message = world.message("once", { headers: { ä: [1, null] } });
      assert.equal(await onceOf(broker).publishOnce(message, "key", longTtlMs), "published");
      const delivery = await (await world.consume(broker)).takeOne();
      assert.deepEqual(
        [labelsOf([delivery]), wellFormed(delivery).id, wellFormed(delivery).headers],
        [["once"], message.id, message.headers],
      );
    },
  },
  {
    name: "a key that was used publishes nothing, in any process, also when its message is done",
    needs: ["once"],
    async run(world) {
      const [first, second] = [await world.broker(), await world.broker()];
      assert.equal(await onceOf(first).publishOnce(world.message("first"), "key", longTtlMs), "published");
      assert.equal(await onceOf(second).publishOnce(world.message("second"), "key", longTtlMs), "duplicate");
      const inbox = await world.consume(second);
      const delivery = await inbox.takeOne();
      assert.deepEqual(labelsOf([delivery]), ["first"]);
      await ack(delivery);
      await first.close();
      assert.equal(await onceOf(second).publishOnce(world.message("third"), "key", longTtlMs), "duplicate");
      await inbox.staysEmpty();
    },
  },
  {
    name: "of eight processes that publish with the same key at the same time, one does",
    needs: ["once"],
    async run(world) {
      const brokers = await Promise.all(Array.from({ length: 8 }, () => world.broker()));
      const answers = await Promise.all(
        brokers.map((broker, index) => onceOf(broker).publishOnce(world.message(`from ${index}`), "race", longTtlMs)),
      );
      assert.deepEqual(answers.toSorted(), [...Array.from({ length: 7 }, () => "duplicate"), "published"]);
      const [receiver] = brokers;
      assert.ok(receiver !== undefined);
      const inbox = await world.consume(receiver);
      assert.deepEqual(labelsOf(await inbox.take(1)), [`from ${answers.indexOf("published")}`]);
      await inbox.staysEmpty();
    },
  },
  {
    name: "different keys do not hinder each other",
    needs: ["once"],
    async run(world) {
      const broker = await world.broker();
      const keys = ["a", "b", "a:b", "A", "ä 🔑"];
      for (const key of keys)
        assert.equal(await onceOf(broker).publishOnce(world.message(key), key, longTtlMs), "published");
      assert.deepEqual(labelsOf(await (await world.consume(broker)).take(keys.length)), keys);
    },
  },
  {
    name: "the same key in another queue is another key",
    needs: ["once"],
    async run(world) {
      const broker = await world.broker();
      const other = world.queueNamed("other");
      await broker.declare([{ name: other, priorities: false }]);
      assert.equal(await onceOf(broker).publishOnce(world.message("here"), "key", longTtlMs), "published");
      assert.equal(
        await onceOf(broker).publishOnce(world.message("there", { queue: other }), "key", longTtlMs),
        "published",
      );
      const inbox = await world.consume(broker, { queues: [world.queue, other] });
      assert.deepEqual(labelsOf(await inbox.take(2)).toSorted(), ["here", "there"]);
    },
  },
  {
    name: "a key can be used again after its time, and not before",
    needs: ["once"],
    async run(world) {
      const broker = await world.broker();
      // A machine that stalls for most of the time shows nothing: a key that is free too early looks like a good one.
      let key = 1;
      while (!(await freeInTime(world, broker, String(key)))) {
        key += 1;
        assert.ok(key <= 10, `this machine never asked within the ${world.ttlMs} ms of a key`);
      }
      const inbox = await world.consume(broker);
      const deliveries = await inbox.take(2 * key);
      assert.deepEqual(labelsOf(deliveries), Array.from({ length: key }, () => ["first", "second"]).flat());
      await ackAll(deliveries);
      await inbox.staysEmpty();
    },
  },
  {
    name: "publishOnce keeps a delay",
    needs: ["once"],
    async run(world) {
      const broker = await world.broker();
      const inbox = await world.consume(broker);
      const sentAt = performance.now();
      await onceOf(broker).publishOnce(world.message("delayed", { delayMs: 150 }), "key", longTtlMs);
      await inbox.take(1, world.soonMs + 150);
      const waitedMs = performance.now() - sentAt;
      assert.ok(waitedMs >= 148, `a delay of 150 ms took only ${Math.round(waitedMs)} ms`);
    },
  },
];

/** Uses the key until it can be used again; `false` when it was not asked for in the second half of its time. */
async function freeInTime(world: World, broker: Broker, key: string): Promise<boolean> {
  const once = onceOf(broker);
  const usedAt = performance.now();
  assert.equal(await once.publishOnce(world.message("first"), key, world.ttlMs), "published");
  let refusedMs = 0;
  for (;;) {
    await world.pause(20);
    const askedMs = performance.now() - usedAt;
    const again = await once.publishOnce(world.message("second"), key, world.ttlMs);
    const waitedMs = performance.now() - usedAt;
    if (again === "published") {
      assert.ok(
        waitedMs >= world.ttlMs - 2,
        `the key could be used again after ${Math.round(waitedMs)} ms of ${world.ttlMs}`,
      );
      return refusedMs >= world.ttlMs / 2;
    }
    assert.ok(waitedMs < world.ttlMs + world.soonMs, "the key stays used");
    refusedMs = askedMs;
  }
}
