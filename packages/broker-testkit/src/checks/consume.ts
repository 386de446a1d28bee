import assert from "node:assert/strict";
import { BrokerError } from "@q/core/broker";
import type { Check } from "../check.ts";
import { ack, ackAll, labelOf, labelsOf, takeOneByOne, type Inbox } from "../inbox.ts";
import { eventually, within } from "../wait.ts";

export const consumeChecks: readonly Check[] = [
  {
    name: "never more than prefetch messages are in hand",
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(20));
      const inbox = await world.consume(broker, { prefetch: 3 });
      await inbox.take(3);
      await inbox.staysEmpty();
    },
  },
  {
    name: "prefetch holds when messages are settled in bursts",
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(200));
      const inbox = await world.consume(broker, { prefetch: 8 });
      for (let handled = 0; handled < 200; handled += 4) {
        await ackAll(await inbox.take(4));
        const inHand = inbox.received.length - handled - 4;
        assert.ok(inHand <= 8, `${inHand} messages in hand with a prefetch of 8`);
      }
    },
  },
  {
    name: "raising the prefetch hands out more at once",
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(10));
      const inbox = await world.consume(broker, { prefetch: 2 });
      await inbox.take(2);
      inbox.consumer.resize(6);
      await inbox.take(4);
      await inbox.staysEmpty();
    },
  },
  {
    name: "lowering the prefetch takes nothing back and holds from then on",
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(20));
      const inbox = await world.consume(broker, { prefetch: 6 });
      const held = await inbox.take(6);
      inbox.consumer.resize(2);
      await ackAll(held.slice(0, 4));
      await inbox.staysEmpty();
      await ackAll(held.slice(4));
      await inbox.take(2);
      await inbox.staysEmpty();
    },
  },
  {
    name: "two brokers share a queue, and no message goes to both",
    async run(world) {
      const brokers = [await world.broker(), await world.broker()];
      const inboxes: Inbox[] = [];
      for (const broker of brokers) inboxes.push(await world.consume(broker, { prefetch: 10 }));
      await brokers[0]?.publish(world.messages(20));
      await eventually(() => assert.equal(inboxes.flatMap((inbox) => inbox.received).length, 20), world.soonMs);
      await world.pause();
      const labels = inboxes.flatMap((inbox) => inbox.received.map(labelOf));
      assert.equal(labels.length, 20);
      assert.equal(new Set(labels).size, 20);
    },
  },
  {
    name: "four brokers handle two thousand messages, each exactly once",
    async run(world) {
      const brokers = await Promise.all([world.broker(), world.broker(), world.broker(), world.broker()]);
      const handled: string[] = [];
      const inboxes = await Promise.all(brokers.map((broker) => world.consume(broker, { prefetch: 20 })));
      for (const inbox of inboxes) {
        inbox.onDelivery = async (delivery) => {
          await ack(delivery);
          handled.push(labelOf(delivery));
        };
      }
      for (const [sender, broker] of brokers.entries()) {
        await broker.publish(Array.from({ length: 500 }, (_, index) => world.message(`${sender}-${index}`)));
      }
      await eventually(() => {
        for (const inbox of inboxes) inbox.throwFailure();
        assert.ok(handled.length >= 2000, `${handled.length} of 2000 handled`);
      }, world.soonMs);
      await world.pause();
      for (const inbox of inboxes) inbox.throwFailure();
      assert.equal(handled.length, 2000);
      assert.equal(new Set(handled).size, 2000);
    },
  },
  {
    name: "queues are served in turns, however long one of them is",
    async run(world) {
      const broker = await world.broker();
      const other = world.queueNamed("short");
      await broker.declare([{ name: other, priorities: false }]);
      await broker.publish(world.messages(100));
      await broker.publish(world.messages(5, { queue: other, body: Buffer.from("short") }));
      const inbox = await world.consume(broker, { queues: [world.queue, other], prefetch: 1 });
      const first = await takeOneByOne(inbox, 20);
      assert.equal(
        first.filter((label) => label === "short").length,
        5,
        "messages of the short queue among the first 20",
      );
    },
  },
  {
    name: "a queue that is named twice gets twice the turns",
    async run(world) {
      const broker = await world.broker();
      const other = world.queueNamed("once");
      await broker.declare([{ name: other, priorities: false }]);
      await broker.publish(world.messages(60, { body: Buffer.from("twice") }));
      await broker.publish(world.messages(60, { queue: other, body: Buffer.from("once") }));
      const inbox = await world.consume(broker, { queues: [world.queue, world.queue, other], prefetch: 1 });
      const twice = (await takeOneByOne(inbox, 30)).filter((label) => label === "twice").length;
      assert.ok(
        twice >= 17 && twice <= 23,
        `expected about 20 of 30 deliveries from the queue with two turns, got ${twice}`,
      );
    },
  },
  {
    name: "an idle consumer soon gets what another broker sends",
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const inbox = await world.consume(receiver);
      const latenesses: number[] = [];
      for (const message of world.messages(5)) {
        await world.pause(20);
        await sender.publish([message]);
        const sentAt = performance.now();
        await ack(await inbox.takeOne());
        latenesses.push(performance.now() - sentAt);
      }
      // The median: one hiccup of the machine is not the broker's fault.
      const median = latenesses.toSorted((a, b) => a - b)[2] ?? Infinity;
      assert.ok(median <= world.latenessMs, `expected at most ${world.latenessMs} ms, got ${Math.round(median)} ms`);
    },
  },
  {
    name: "an idle consumer of several queues hears of each",
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const queues = ["one", "two", "three"].map((label) => world.queueNamed(label));
      await sender.declare(queues.map((name) => ({ name, priorities: false })));
      const inbox = await world.consume(receiver, { queues });
      for (const queue of queues.toReversed()) {
        await world.pause(20);
        await sender.publish([world.message(queue, { queue })]);
        assert.deepEqual(labelsOf(await inbox.take(1, 2 * world.latenessMs)), [queue]);
      }
    },
  },
  {
    name: "a broker has several consumers, each with its own queues and prefetch",
    async run(world) {
      const broker = await world.broker();
      const other = world.queueNamed("other");
      await broker.declare([{ name: other, priorities: false }]);
      const here = await world.consume(broker, { prefetch: 1 });
      const there = await world.consume(broker, { queues: [other], prefetch: 2 });
      await broker.publish([...world.messages(3), ...world.messages(3, { queue: other })]);
      assert.deepEqual([labelsOf(await here.take(1)), labelsOf(await there.take(2))], [["1"], ["1", "2"]]);
      await there.consumer.stop();
      await ackAll(here.received);
      assert.deepEqual(labelsOf(await here.take(1)), ["2"]);
      await there.staysEmpty();
    },
  },
  {
    name: "a consumer whose hands are full keeps nothing from others",
    async run(world) {
      const [busy, free] = [await world.broker(), await world.broker()];
      const full = await world.consume(busy, { prefetch: 2 });
      await busy.publish(world.messages(8));
      await full.take(2);
      const inbox = await world.consume(free);
      assert.equal((await inbox.take(6)).length, 6);
    },
  },
  {
    name: "a stopped consumer is handed nothing any more",
    async run(world) {
      const broker = await world.broker();
      const inbox = await world.consume(broker);
      await within(inbox.consumer.stop(), world.soonMs, "stop() resolves");
      await broker.publish(world.messages(3));
      await inbox.staysEmpty();
    },
  },
  {
    name: "stopping twice is stopping once",
    async run(world) {
      const inbox = await world.consume(await world.broker());
      await within(Promise.all([inbox.consumer.stop(), inbox.consumer.stop()]), world.soonMs, "both stop() resolve");
      await within(inbox.consumer.stop(), world.soonMs, "a third stop() resolves");
    },
  },
  {
    name: "what a consumer holds when it stops stays its own and can be settled",
    async run(world) {
      const [broker, other] = [await world.broker(), await world.broker()];
      await broker.publish(world.messages(3));
      const inbox = await world.consume(broker);
      const held = await inbox.take(3);
      await inbox.consumer.stop();
      const others = await world.consume(other);
      await others.staysEmpty();
      await ackAll(held);
      await others.staysEmpty();
    },
  },
  {
    name: "what was fetched and not handed out before a stop goes back, in order",
    async run(world) {
      const [broker, other] = [await world.broker(), await world.broker()];
      const inbox = await world.consume(broker, { prefetch: 50 });
      const stopped = new Promise<void>((resolve) => {
        inbox.onDelivery = () => {
          inbox.onDelivery = undefined;
          resolve(inbox.consumer.stop());
        };
      });
      await broker.publish(world.messages(100));
      await within(stopped, world.soonMs, "stop() resolves");
      const handedOut = labelsOf(inbox.received);
      await ackAll(inbox.received);
      const others = await world.consume(other, { prefetch: 1 });
      const rest = await takeOneByOne(others, 100 - handedOut.length);
      assert.deepEqual(
        [...handedOut, ...rest],
        Array.from({ length: 100 }, (_, index) => String(index + 1)),
      );
      await others.staysEmpty();
    },
  },
  {
    name: "heardAt moves on when the broker answers",
    async run(world) {
      const broker = await world.broker();
      const inbox = await world.consume(broker);
      const before = inbox.consumer.heardAt;
      await world.pause(20);
      await broker.publish([world.message("sign of life")]);
      await ack(await inbox.takeOne());
      await eventually(() => assert.ok(inbox.consumer.heardAt > before, "heardAt stands still"), world.soonMs);
    },
  },
  {
    name: "a consumer goes on by itself after an interruption",
    needs: ["interrupt"],
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const inbox = await world.consume(receiver);
      const restore = await world.interrupt(receiver);
      await world.pause();
      await restore();
      await sender.publish([world.message("after")]);
      assert.deepEqual(labelsOf(await inbox.take(1)), ["after"]);
    },
  },
  {
    name: "what is held during an interruption is settled afterwards, or comes again",
    needs: ["interrupt"],
    async run(world) {
      const [broker, other] = [await world.broker(), await world.broker()];
      await broker.publish(world.messages(3));
      const inbox = await world.consume(broker, { prefetch: 3 });
      const held = await inbox.take(3);
      await inbox.consumer.stop();
      const restore = await world.interrupt(broker);
      await world.pause();
      await restore();
      await eventually(() => broker.connected, world.soonMs);
      const answers = await Promise.all(
        held.map((delivery) => delivery.settle({ kind: "ack" }).catch(() => "unknown")),
      );
      await broker.close();
      const others = await world.consume(other);
      await world.pause(world.recoveryMs + world.quietMs);
      const came = labelsOf(others.received);
      for (const [index, label] of labelsOf(held).entries()) {
        const answer = answers[index];
        if (answer !== "unknown")
          assert.equal(came.includes(label), answer === "lost", `message ${label}, ${answer}, comes again`);
      }
    },
  },
  {
    name: "consuming on a broker that is not open rejects with a BrokerError",
    async run(world) {
      const unopened = await world.create();
      await assert.rejects(within(world.consume(unopened), world.soonMs, "consume ends"), BrokerError);
    },
  },
];
