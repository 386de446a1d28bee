import assert from "node:assert/strict";
import { BrokerError, hasCode, silentLogger, type Broker, type Delivery } from "@q/core/broker";
import type { Check } from "../check.ts";
import { ackAll, labelsOf, takeOneByOne } from "../inbox.ts";
import { unhandledRejections } from "../unhandled-rejections.ts";
import { eventually, within } from "../wait.ts";
import type { World } from "../world.ts";

/** What the contract gives a broker for closing. */
const longestCloseMs = 5000;

export const lifecycleChecks: readonly Check[] = [
  {
    name: "opening twice is opening once",
    async run(world) {
      const broker = await world.broker();
      await assert.doesNotReject(world.open(broker), "opening it again");
      await broker.publish([world.message("still here")]);
      const inbox = await world.consume(broker);
      assert.deepEqual(labelsOf(await inbox.take(1)), ["still here"]);
      await inbox.staysEmpty();
    },
  },
  {
    name: "connected says whether the broker is open",
    async run(world) {
      const broker = await world.create();
      assert.equal(broker.connected, false, "connected before open()");
      await world.open(broker);
      assert.equal(broker.connected, true, "connected after open()");
      await broker.close();
      assert.equal(broker.connected, false, "connected after close()");
    },
  },
  {
    name: "closing twice is closing once",
    async run(world) {
      const broker = await world.broker();
      await close(world, Promise.all([broker.close(), broker.close()]));
      await close(world, broker.close());
    },
  },
  {
    name: "closing a broker that was never opened does nothing",
    async run(world) {
      const broker = await world.create();
      await close(world, broker.close());
    },
  },
  {
    name: "close gives back what is held, in its place and uncounted",
    async run(world) {
      const [broker, other] = [await world.broker(), await world.broker()];
      await broker.publish(world.messages(4));
      await (await world.consume(broker, { prefetch: 2 })).take(2);
      await close(world, broker.close());
      const inbox = await world.consume(other, { prefetch: 1 });
      assert.deepEqual(await takeOneByOne(inbox, 4), ["1", "2", "3", "4"]);
      assert.deepEqual(
        inbox.received.map(({ crashes }) => crashes),
        [0, 0, 0, 0],
      );
    },
  },
  {
    name: "close ends within five seconds with a hundred deliveries in hand",
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(200));
      await (await world.consume(broker, { prefetch: 100 })).take(100);
      await close(world, broker.close());
    },
  },
  {
    name: "close while cut off ends within five seconds and does not throw",
    needs: ["interrupt"],
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(3));
      await (await world.consume(broker, { prefetch: 1 })).take(1);
      const restore = await world.interrupt(broker);
      await close(world, broker.close());
      await restore();
    },
  },
  {
    name: "a closed broker hands out nothing, and what it held is lost to it",
    async run(world) {
      const [broker, other] = [await world.broker(), await world.broker()];
      await broker.publish([world.message("given back")]);
      const inbox = await world.consume(broker, { prefetch: 2 });
      const delivery = await inbox.takeOne();
      await close(world, broker.close());
      await other.publish([world.message("new")]);
      await inbox.staysEmpty();
      await eventually(() => assert.ok(delivery.lost.aborted, "lost did not abort"), world.soonMs);
      assert.notEqual(await lateAnswer(world, delivery), "settled");
      const others = await world.consume(other);
      assert.deepEqual(labelsOf(await others.take(2)).toSorted(), ["given back", "new"]);
    },
  },
  {
    name: "a closed broker opens again, or rejects with a BrokerError that says why not",
    async run(world) {
      const broker = await world.broker();
      await broker.close();
      const refusal = await world.open(broker).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (refusal !== undefined) {
        assert.ok(refusal.error instanceof BrokerError, `expected a BrokerError, got ${String(refusal.error)}`);
        return;
      }
      await assert.doesNotReject(broker.publish([world.message("reopened")]), "publishing when it is open again");
      assert.deepEqual(labelsOf(await (await world.consume(broker)).take(1)), ["reopened"]);
    },
  },
  {
    name: "declaring a queue again changes nothing",
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(3));
      await broker.declare([{ name: world.queue, priorities: false }]);
      const other = await world.broker();
      assert.deepEqual(labelsOf(await (await world.consume(other)).take(3)), ["1", "2", "3"]);
    },
  },
  {
    name: "declaring a queue in another shape is refused with Q1004 and leaves it as it is",
    async run(world) {
      const broker = await world.broker();
      await broker.publish([world.message("first"), world.message("second", { priority: 9 })]);
      const other = await world.create();
      await world.open(other);
      const failure = await other.declare([{ name: world.queue, priorities: true }]).then(
        () => undefined,
        (error: unknown) => error,
      );
      assert.ok(hasCode(failure, "Q1004"), `expected the code Q1004, got ${String(failure)}`);
      assert.deepEqual(await takeOneByOne(await world.consume(broker, { prefetch: 1 }), 2), ["first", "second"]);
    },
  },
  {
    name: "messages stay when every broker closes",
    async run(world) {
      const first = await world.broker();
      await first.publish(world.messages(3));
      await first.close();
      const inbox = await world.consume(await world.broker());
      assert.deepEqual(labelsOf(await inbox.take(3)), ["1", "2", "3"]);
    },
  },
  {
    name: "no rejection is left unhandled: what fails, fails to its caller",
    async run(world) {
      const strays = await unhandledRejections(async () => {
        const broker = await world.create();
        await tryEverything(world, broker);
        await broker.open({ logger: silentLogger });
        await broker.declare([{ name: world.queue, priorities: false }]);
        await broker.publish(world.messages(5));
        const inbox = await world.consume(broker, { prefetch: 2 });
        const held = await inbox.take(2);
        const closing = broker.close();
        await tryEverything(world, broker);
        await closing;
        await tryEverything(world, broker);
        await Promise.allSettled(held.map((delivery) => delivery.settle({ kind: "ack" })));
        await world.pause();
      });
      assert.deepEqual(strays.map(String), []);
    },
  },
  {
    name: "a consumer of a queue that is already full begins with its oldest message",
    async run(world) {
      const broker = await world.broker();
      await broker.publish(world.messages(10));
      const inbox = await world.consume(broker, { prefetch: 3 });
      const deliveries = await inbox.take(3);
      assert.deepEqual(labelsOf(deliveries), ["1", "2", "3"]);
      await ackAll(deliveries);
    },
  },
];

async function close(world: World, closing: Promise<unknown>): Promise<void> {
  await within(
    closing.catch((error: unknown) => assert.fail(`close() threw ${String(error)}`)),
    Math.min(longestCloseMs, world.soonMs),
    "close() resolves",
  );
}

/** The answer to a settle that comes too late; an error will do. */
async function lateAnswer(world: World, delivery: Delivery): Promise<string> {
  return within(
    delivery.settle({ kind: "ack" }).catch(() => "an error"),
    world.soonMs,
    "a late settle ends",
  );
}

/** Calls what can be called; whether it works does not matter. */
async function tryEverything(world: World, broker: Broker): Promise<void> {
  const name = `kit-${world.id}`;
  await Promise.allSettled([
    broker.publish([world.message("maybe")]),
    broker.declare([{ name: world.queue, priorities: false }]),
    broker.inspector?.stats(world.queue),
    broker.inspector?.queues(),
    broker.once?.publishOnce(world.message("maybe once"), name, world.ttlMs),
    broker.control?.broadcast(name, { hello: 1 }),
    broker.control?.subscribe(name, () => undefined),
    broker.leases?.acquire(name, world.ttlMs),
  ]);
}
