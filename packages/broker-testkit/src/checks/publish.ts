import assert from "node:assert/strict";
import {
  BrokerError,
  PublishFailed,
  PublishRejected,
  PublishUnknown,
  type Broker,
  type OutgoingMessage,
} from "@q/core/broker";
import type { Check } from "../check.ts";
import { ackAll, labelOf, labelsOf, wellFormed } from "../inbox.ts";
import { eventually, within } from "../wait.ts";
import type { World } from "../world.ts";

export const publishChecks: readonly Check[] = [
  {
    name: "publish resolves only when another broker can have the message",
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      await sender.publish([world.message("stored")]);
      const ready = (await receiver.inspector?.stats(world.queue))?.ready ?? 1;
      assert.equal(ready, 1, "messages ready when publish had resolved");
      const inbox = await world.consume(receiver);
      assert.deepEqual(labelsOf(await inbox.take(1)), ["stored"]);
    },
  },
  {
    name: "a batch keeps its order",
    async run(world) {
      const broker = await world.broker();
      const batch = world.messages(50);
      await broker.publish(batch);
      const inbox = await world.consume(broker);
      assert.deepEqual(labelsOf(await inbox.take(50)), labelsOfMessages(batch));
    },
  },
  {
    name: "a batch of a thousand messages arrives whole and in order",
    async run(world) {
      const broker = await world.broker();
      const batch = world.messages(1000);
      await broker.publish(batch);
      const inbox = await world.consume(broker, { prefetch: 1000 });
      const deliveries = await inbox.take(1000);
      assert.deepEqual(labelsOf(deliveries), labelsOfMessages(batch));
      await ackAll(deliveries);
    },
  },
  {
    name: "a batch may go to several queues",
    async run(world) {
      const broker = await world.broker();
      const other = world.queueNamed("other");
      await broker.declare([{ name: other, priorities: false }]);
      await broker.publish([world.message("here"), world.message("there", { queue: other })]);
      const [here, there] = [await world.consume(broker), await world.consume(broker, { queues: [other] })];
      assert.deepEqual([labelsOf(await here.take(1)), labelsOf(await there.take(1))], [["here"], ["there"]]);
      await here.staysEmpty();
    },
  },
  {
    name: "queues whose names differ in one sign are two queues",
    async run(world) {
      const broker = await world.broker();
      const names = ["a.b", "a:b", "a/b", "a@b", "a_b", "a-b", "A-b"].map((label) => world.queueNamed(label));
      await broker.declare(names.map((name) => ({ name, priorities: false })));
      await broker.publish(names.map((queue) => world.message(queue, { queue })));
      for (const queue of names) {
        const inbox = await world.consume(broker, { queues: [queue] });
        assert.deepEqual(labelsOf(await inbox.take(1)), [queue]);
        assert.equal(inbox.received[0]?.message.queue, queue);
      }
    },
  },
  {
    name: "an empty batch resolves and stores nothing",
    async run(world) {
      const broker = await world.broker();
      await broker.publish([]);
      await (await world.consume(broker)).staysEmpty();
    },
  },
  {
    name: "a body of any bytes comes back byte for byte",
    async run(world) {
      const everyByte = Uint8Array.from({ length: 512 }, (_, index) => index);
      const { body } = await roundTrip(world, { body: everyByte });
      assert.deepEqual(Buffer.from(body), Buffer.from(everyByte));
    },
  },
  {
    name: "an empty body comes back empty",
    async run(world) {
      const { body } = await roundTrip(world, { body: new Uint8Array() });
      assert.equal(body.length, 0);
    },
  },
  {
    name: "a body that is text is its bytes in UTF-8",
    async run(world) {
      const text = '[[],{"name":"Zoë 🐘"},{}]';
      const { body } = await roundTrip(world, { body: text });
      assert.equal(Buffer.from(body).toString("hex"), Buffer.from(text).toString("hex"));
    },
  },
  {
    name: "a body of 256 KiB comes back whole",
    async run(world) {
      const big = Buffer.alloc(256 * 1024, "big 🐘 body, ");
      const { body } = await roundTrip(world, { body: big });
      assert.ok(big.equals(Buffer.from(body)), "the bytes differ");
    },
  },
  {
    name: "headers come back unchanged: unicode, nested, and fields that nobody knows",
    async run(world) {
      const headers = {
        task: "events.save",
        "x-unknown": { "schlüssel 🔑": [1, -2.5, 9007199254740991, true, null, "", "日本", { deep: [[]] }] },
        empty: {},
        eta: null,
      };
      assert.deepEqual((await roundTrip(world, { headers })).headers, headers);
    },
  },
  {
    name: "properties come back unchanged, and those that were absent stay absent",
    async run(world) {
      const full = {
        contentType: "application/x-other",
        contentEncoding: "binary",
        correlationId: "c-1 ü",
        replyTo: "r-1",
      };
      assert.deepEqual((await roundTrip(world, { properties: full })).properties, full);
      const bare = { contentType: "application/json", contentEncoding: "utf-8" };
      assert.deepEqual((await roundTrip(world, { properties: bare })).properties, bare);
    },
  },
  {
    name: "an id comes back unchanged, up to 255 bytes",
    async run(world) {
      for (const id of ["x", "a b/c:d|e{f}%2F", `${"ü".repeat(127)}x`])
        assert.equal((await roundTrip(world, { id })).id, id);
    },
  },
  {
    name: "two messages with the same id and the same bytes are two messages",
    async run(world) {
      const broker = await world.broker();
      const message = world.message("twin");
      await broker.publish([message, message]);
      await broker.publish([message]);
      const inbox = await world.consume(broker);
      assert.deepEqual(labelsOf(await inbox.take(3)), ["twin", "twin", "twin"]);
    },
  },
  {
    name: "publish on a broker that is not open says that nothing was stored",
    async run(world) {
      const unopened = await world.create();
      await assert.rejects(
        within(unopened.publish([world.message("never")]), world.soonMs, "publish ends"),
        PublishRejected,
      );
    },
  },
  {
    name: "publish on a closed broker says that nothing was stored",
    async run(world) {
      const broker = await world.broker();
      await broker.close();
      await assert.rejects(
        within(broker.publish([world.message("never")]), world.soonMs, "publish ends"),
        PublishRejected,
      );
    },
  },
  {
    name: "publish while cut off ends, and says whether the message may be stored",
    needs: ["interrupt"],
    async run(world) {
      const broker = await world.broker();
      await world.interrupt(broker);
      const error = await publishError(world, broker);
      const verdicts = error instanceof PublishFailed ? [...error.failures.values()] : [error];
      for (const verdict of verdicts) {
        assert.ok(
          verdict instanceof PublishRejected || verdict instanceof PublishUnknown,
          `expected PublishRejected or PublishUnknown, got ${String(verdict)}`,
        );
      }
    },
  },
  {
    name: "what publish rejected is not stored, and publishing works again after the interruption",
    needs: ["interrupt"],
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const restore = await world.interrupt(sender);
      const error = await publishError(world, sender);
      await restore();
      await publishAgain(world, sender, world.message("after"));
      const inbox = await world.consume(receiver);
      await eventually(() => assert.ok(inbox.received.some((delivery) => labelOf(delivery) === "after")), world.soonMs);
      if (error instanceof PublishRejected) assert.deepEqual(labelsOf(inbox.received), ["after"]);
    },
  },
];

function labelsOfMessages(messages: readonly OutgoingMessage[]): string[] {
  return messages.map(({ body }) => Buffer.from(body).toString());
}

/** Sends one message and receives it in another broker. */
async function roundTrip(world: World, changes: Partial<OutgoingMessage>): ReturnType<typeof receive> {
  const [sender, receiver] = [await world.broker(), await world.broker()];
  await sender.publish([world.message("round trip", changes)]);
  return receive(world, receiver);
}

async function receive(world: World, broker: Broker): Promise<ReturnType<typeof wellFormed>> {
  const inbox = await world.consume(broker);
  const message = wellFormed(await inbox.takeOne());
  await ackAll(inbox.received);
  await broker.close();
  return message;
}

/** What publish rejects with while the line is cut. */
async function publishError(world: World, broker: Broker): Promise<unknown> {
  const outcome = broker.publish([world.message("cut off")]).then(
    () => assert.fail("publish resolved while its broker was cut off"),
    (error: unknown) => error,
  );
  return within(outcome, world.soonMs, "publish ends while cut off");
}

/** A broker may need a moment to be connected again. */
async function publishAgain(world: World, broker: Broker, message: OutgoingMessage): Promise<void> {
  const deadline = performance.now() + world.soonMs;
  for (;;) {
    try {
      await broker.publish([message]);
      return;
    } catch (error) {
      if (performance.now() > deadline || !(error instanceof BrokerError)) throw error;
      await world.pause(10);
    }
  }
}
