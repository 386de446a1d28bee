import assert from "node:assert/strict";
import type { Broker, Delivery, Outcome } from "@q/core/broker";
import type { Check } from "../check.ts";
import { ack, labelsOf, settleAll, type Inbox } from "../inbox.ts";
import { eventually } from "../wait.ts";
import type { World } from "../world.ts";

export const fencingChecks: readonly Check[] = [
  {
    name: "a late ack answers lost, and the new holder's message stays",
    needs: ["expire"],
    run: (world) => lateSettle(world, { kind: "ack" }),
  },
  {
    name: "a late requeue answers lost and makes no second copy",
    needs: ["expire"],
    run: (world) => lateSettle(world, { kind: "requeue", delayMs: 0, headers: { from: "the late one" } }),
  },
  {
    name: "a late release answers lost and makes no second copy",
    needs: ["expire"],
    run: (world) => lateSettle(world, { kind: "release" }),
  },
  {
    name: "a late bury answers lost and takes nothing from the new holder",
    needs: ["expire"],
    run: (world) => lateSettle(world, { kind: "bury", reason: { code: "failed", message: "too late" } }),
  },
  {
    name: "a late requeue brings nothing back that the new holder has finished",
    needs: ["expire"],
    async run(world) {
      const { late, current, inbox } = await stolen(world);
      await ack(current);
      assert.equal(await late.settle({ kind: "requeue", delayMs: 0 }), "lost");
      await inbox.staysEmpty();
    },
  },
  {
    name: "a late start answers lost",
    needs: ["expire"],
    async run(world) {
      const { late } = await stolen(world);
      assert.equal(await late.start(), "lost");
    },
  },
  {
    name: "an ack of one who has not noticed its loss answers lost, and the new holder's message stays",
    needs: ["expireUnnoticed"],
    run: (world) => lateSettle(world, { kind: "ack" }, { unnoticed: true }),
  },
  {
    name: "a requeue of one who has not noticed its loss answers lost and makes no second copy",
    needs: ["expireUnnoticed"],
    run: (world) => lateSettle(world, { kind: "requeue", delayMs: 0, headers: { from: "it" } }, { unnoticed: true }),
  },
  {
    name: "a release of one who has not noticed its loss answers lost and makes no second copy",
    needs: ["expireUnnoticed"],
    run: (world) => lateSettle(world, { kind: "release" }, { unnoticed: true }),
  },
  {
    name: "a bury of one who has not noticed its loss answers lost and takes nothing from the new holder",
    needs: ["expireUnnoticed"],
    run: (world) =>
      lateSettle(world, { kind: "bury", reason: { code: "failed", message: "too late" } }, { unnoticed: true }),
  },
  {
    name: "a start of one who has not noticed its loss answers lost",
    needs: ["expireUnnoticed"],
    async run(world) {
      const { late } = await stolen(world, { unnoticed: true });
      assert.equal(await late.start(), "lost");
    },
  },
  {
    name: "lost aborts when the message is taken away, and not before",
    needs: ["expire"],
    async run(world) {
      const broker = await world.broker();
      await broker.publish([world.message("held")]);
      const inbox = await world.consume(broker);
      const { lost } = await inbox.takeOne();
      await inbox.consumer.stop();
      await world.pause();
      assert.equal(lost.aborted, false, "lost had aborted while the message was held");
      await world.expire(broker);
      await eventually(() => assert.ok(lost.aborted, "lost did not abort"), world.soonMs);
    },
  },
  {
    name: "the fence number grows with each delivery of a message",
    async run(world) {
      const broker = await world.broker();
      await broker.publish([world.message("again and again")]);
      const inbox = await world.consume(broker);
      const outcomes: readonly Outcome[] = [{ kind: "requeue", delayMs: 0 }, { kind: "release" }, { kind: "ack" }];
      let before = 0;
      for (const outcome of outcomes) {
        const delivery = await inbox.takeOne();
        // A broker without fence numbers says so by having none; one that has them has them always.
        if (delivery.fence === undefined && before === 0) return;
        assert.ok(
          delivery.fence !== undefined && delivery.fence > before,
          `expected more than ${before}, got ${delivery.fence}`,
        );
        before = delivery.fence;
        await settleAll([delivery], outcome);
      }
    },
  },
  {
    name: "a broker that lost what it held goes on with new messages",
    needs: ["expire"],
    async run(world) {
      const [broker, sender] = [await world.broker(), await world.broker()];
      const inbox = await world.consume(broker);
      await world.expire(broker);
      await sender.publish([world.message("new")]);
      const delivery = await inbox.takeOne();
      assert.deepEqual(labelsOf([delivery]), ["new"]);
      await ack(delivery);
    },
  },
];

interface Theft {
  /** The old holder has had no way to hear of it, so only the store can refuse what it does. Default false. */
  readonly unnoticed?: boolean;
}

/** One message that was taken from a living holder, and is in another one's hands. */
async function stolen(
  world: World,
  { unnoticed = false }: Theft = {},
): Promise<{ late: Delivery; current: Delivery; newHolder: Broker; inbox: Inbox }> {
  const [victim, newHolder] = [await world.broker(), await world.broker()];
  await victim.publish([world.message("stolen")]);
  const victims = await world.consume(victim);
  const late = await victims.takeOne();
  await victims.consumer.stop();
  await (unnoticed ? world.expireUnnoticed(victim) : world.expire(victim));
  const inbox = await world.consume(newHolder);
  const current = await inbox.takeOne(world.soonMs + world.recoveryMs);
  assert.ok(!unnoticed || !late.lost.aborted, "the harness let the old holder notice its loss");
  return { late, current, newHolder, inbox };
}

/** The old holder settles; the new one must not notice. */
async function lateSettle(world: World, outcome: Outcome, theft: Theft = {}): Promise<void> {
  const { late, current, newHolder, inbox } = await stolen(world, theft);
  assert.equal(await late.settle(outcome), "lost");
  await inbox.staysEmpty();
  // Still held, with nothing changed: given back, it comes again.
  await settleAll([current], { kind: "release" });
  const again = await inbox.takeOne();
  assert.deepEqual(again.message, current.message);
  await ack(again);
  await inbox.staysEmpty();
  const dead = (await newHolder.inspector?.stats(world.queue))?.dead ?? 0;
  assert.equal(dead, 0);
}
