import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Check } from "../check.ts";
import { ack, ackAll, labelOf, labelsOf, settleAll, takeOneByOne } from "../inbox.ts";
import { inspectorOf } from "../world.ts";

export const crashChecks: readonly Check[] = [
  {
    name: "what a dead process held goes to others within recoveryMs",
    needs: ["crash"],
    async run(world) {
      const [victim, survivor] = [await world.broker(), await world.broker()];
      await victim.publish(world.messages(20));
      const held = await (await world.consume(victim, { prefetch: 20 })).take(20);
      const inbox = await world.consume(survivor);
      await world.crash(victim);
      const recovered = await inbox.take(20, world.recoveryMs + world.latenessMs);
      assert.deepEqual(labelsOf(recovered).toSorted(), labelsOf(held).toSorted());
      await ackAll(recovered);
      await inbox.staysEmpty();
    },
  },
  {
    name: "what a dead process held comes back at the head of the queue, in order",
    needs: ["crash"],
    async run(world) {
      const [victim, survivor] = [await world.broker(), await world.broker()];
      // The survivor is busy with a first message, so that it takes part in recovery without taking anything.
      await victim.publish([world.message("busy")]);
      const inbox = await world.consume(survivor, { prefetch: 1 });
      const busy = await inbox.takeOne();
      await victim.publish(world.messages(5));
      await (await world.consume(victim, { prefetch: 2 })).take(2);
      await world.crash(victim);
      await world.pause(world.recoveryMs);
      await ack(busy);
      assert.deepEqual(await takeOneByOne(inbox, 5), ["1", "2", "3", "4", "5"]);
    },
  },
  {
    name: "what was acked before a crash does not come back",
    needs: ["crash"],
    async run(world) {
      const [victim, survivor] = [await world.broker(), await world.broker()];
      await victim.publish(world.messages(10));
      const held = await (await world.consume(victim, { prefetch: 10 })).take(10);
      await ackAll(held.slice(0, 5));
      await world.crash(victim);
      const inbox = await world.consume(survivor);
      const recovered = await inbox.take(5, world.recoveryMs + world.soonMs);
      assert.deepEqual(labelsOf(recovered).toSorted(), labelsOf(held.slice(5)).toSorted());
      await inbox.staysEmpty();
    },
  },
  {
    name: "what was requeued, released or buried before a crash is where it belongs, and not counted",
    needs: ["crash"],
    async run(world) {
      const [victim, survivor] = [await world.broker(), await world.broker()];
      await victim.publish(world.messages(3));
      const inbox = await world.consume(victim, { prefetch: 3 });
      const [requeued, released, buried] = await inbox.take(3);
      assert.ok(requeued !== undefined && released !== undefined && buried !== undefined);
      await inbox.consumer.stop();
      await settleAll([requeued], { kind: "requeue", delayMs: 0 });
      await settleAll([released], { kind: "release" });
      await settleAll([buried], { kind: "bury", reason: { code: "failed", message: "broken" } });
      await world.crash(victim);
      const others = await world.consume(survivor);
      const came = await others.take(2);
      assert.deepEqual(
        came.map((delivery) => [labelOf(delivery), delivery.crashes]),
        [
          ["2", 0],
          ["1", 0],
        ],
      );
      await others.staysEmpty(world.recoveryMs + world.quietMs);
    },
  },
  {
    name: "of messages that are being settled during a crash, those without an answer come back or are done, and the others stay settled",
    needs: ["crash"],
    async run(world) {
      const [victim, survivor] = [await world.broker(), await world.broker()];
      await victim.publish(world.messages(20));
      const held = await (await world.consume(victim, { prefetch: 20 })).take(20);
      const done = new Set<string>();
      for (const delivery of held.slice(0, 10)) {
        delivery.settle({ kind: "ack" }).then(
          (answer) => answer === "settled" && done.add(labelOf(delivery)),
          () => undefined,
        );
      }
      await world.crash(victim);
      await pause(world.latenessMs);
      const inbox = await world.consume(survivor);
      await inbox.take(10, world.recoveryMs + world.soonMs);
      await world.pause();
      const labels = labelsOf(inbox.received);
      assert.deepEqual(
        labels.filter((label) => done.has(label)),
        [],
        "settled messages that came back",
      );
      assert.deepEqual(
        labelsOf(held.slice(10)).filter((label) => !labels.includes(label)),
        [],
        "unsettled messages that vanished",
      );
    },
  },
  {
    name: "what publish had resolved survives the crash of who sent it",
    needs: ["crash"],
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      await sender.publish(world.messages(100));
      await world.crash(sender);
      const inbox = await world.consume(receiver);
      const deliveries = await inbox.take(100);
      assert.equal(new Set(labelsOf(deliveries)).size, 100);
    },
  },
  {
    name: "a delayed message survives the crash of who sent it and of who requeued it",
    needs: ["crash"],
    async run(world) {
      const [victim, survivor] = [await world.broker(), await world.broker()];
      const inbox = await world.consume(victim);
      await victim.publish([world.message("requeued")]);
      await settleAll(await inbox.take(1), { kind: "requeue", delayMs: 100 });
      await victim.publish([world.message("sent", { delayMs: 100 })]);
      await world.crash(victim);
      const others = await world.consume(survivor);
      assert.deepEqual(labelsOf(await others.take(2, world.soonMs + world.recoveryMs)).toSorted(), [
        "requeued",
        "sent",
      ]);
    },
  },
  {
    name: "a dead letter survives the crash of who buried it",
    needs: ["crash", "inspector"],
    async run(world) {
      const [victim, survivor] = [await world.broker(), await world.broker()];
      await victim.publish([world.message("buried")]);
      const inbox = await world.consume(victim);
      await settleAll(await inbox.take(1), { kind: "bury", reason: { code: "failed", message: "broken" } });
      await world.crash(victim);
      const { items } = await inspectorOf(survivor).deadLetters(world.queue, { limit: 10 });
      assert.deepEqual(
        items.map(({ reason }) => reason.message),
        ["broken"],
      );
    },
  },
  {
    name: "a living process keeps what it holds, however long it takes",
    async run(world) {
      const [holder, other] = [await world.broker(), await world.broker()];
      await holder.publish([world.message("long")]);
      const inbox = await world.consume(holder);
      const delivery = await inbox.takeOne();
      const others = await world.consume(other);
      await others.staysEmpty(1.5 * world.recoveryMs + world.quietMs);
      assert.equal(delivery.lost.aborted, false, "lost aborted while the holder was alive");
      await ack(delivery);
      await others.staysEmpty();
    },
  },
];
