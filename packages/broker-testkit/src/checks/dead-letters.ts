import assert from "node:assert/strict";
import type { Broker, DeadLetter, QueueInspector } from "@q/core/broker";
import type { Check } from "../check.ts";
import { ackAll, labelsOf, settleAll, takeOneByOne, wellFormed } from "../inbox.ts";
import { inspectorOf, type World } from "../world.ts";

const reason = { code: "failed", message: "broken" };
/** Clocks of two machines may differ so much without anybody minding. */
const clockSkewMs = 60_000;

export const deadLetterChecks: readonly Check[] = [
  {
    name: "a dead letter keeps its message and the whole reason",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const message = world.message("körper 🪦", { headers: { task: "kit", unknown: { deep: [1, null, "ü"] } } });
      const whole = {
        code: "retries-exhausted",
        message: "gab auf: 日本 🪦",
        error: { name: "E", stack: "E: at x\n  at y", cause: { n: [1, null] } },
        worker: "w-1",
      };
      await broker.publish([message]);
      const inbox = await world.consume(broker);
      await settleAll(await inbox.take(1), { kind: "bury", reason: whole });
      const [letter] = await list(inspectorOf(broker), world);
      assert.ok(letter !== undefined && !("malformed" in letter.message));
      assert.deepEqual(letter.reason, whole);
      assert.deepEqual(
        { ...letter.message, body: Buffer.from(letter.message.body) },
        { ...message, body: Buffer.from(message.body) },
      );
      assert.ok(Math.abs(letter.diedAt - Date.now()) < clockSkewMs, `died at ${letter.diedAt}`);
      assert.ok(letter.size >= message.body.length, `${letter.size} bytes`);
    },
  },
  {
    name: "dead letters are listed newest first",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      await buryOneByOne(world, broker, 4);
      assert.deepEqual((await list(inspectorOf(broker), world)).map(labelOf), ["4", "3", "2", "1"]);
    },
  },
  {
    name: "pages of dead letters are complete and repeat nothing, also while more die",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const inspector = inspectorOf(broker);
      await buryOneByOne(world, broker, 25);
      const labels: string[] = [];
      let cursor: string | undefined;
      for (let page = 1; page <= 3; page += 1) {
        const { items, next } = await inspector.deadLetters(world.queue, { limit: 10, cursor });
        labels.push(...items.map(labelOf));
        assert.equal(next === null, page === 3, `page ${page} of 3: next`);
        cursor = next ?? undefined;
        if (page < 3) await buryOneByOne(world, broker, 1, "late");
      }
      assert.deepEqual(
        labels,
        Array.from({ length: 25 }, (_, index) => String(25 - index)),
      );
    },
  },
  {
    name: "looking at dead letters changes nothing",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const inspector = inspectorOf(broker);
      await buryOneByOne(world, broker, 3);
      assert.deepEqual(await list(inspector, world), await list(inspector, world));
    },
  },
  {
    name: "a message that died twice has two entries",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const message = world.message("twin");
      await broker.publish([message, message]);
      const inbox = await world.consume(broker);
      await settleAll(await inbox.take(2), { kind: "bury", reason });
      const letters = await list(inspectorOf(broker), world);
      assert.equal(new Set(letters.map(({ entryId }) => entryId)).size, 2);
    },
  },
  {
    name: "a redriven message comes again behind those that wait, and is dead no more",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const inspector = inspectorOf(broker);
      await buryOneByOne(world, broker, 1, "redriven");
      await broker.publish([world.message("waiting")]);
      const [letter] = await list(inspector, world);
      assert.ok(letter !== undefined);
      assert.equal(await inspector.redrive(world.queue, [{ entryId: letter.entryId }]), 1);
      assert.deepEqual(await list(inspector, world), []);
      const inbox = await world.consume(broker, { prefetch: 1 });
      assert.deepEqual(await takeOneByOne(inbox, 2), ["waiting", "redriven"]);
      const redriven = inbox.received[1];
      assert.ok(redriven !== undefined);
      assert.deepEqual(plain(redriven.message), plain(letter.message));
    },
  },
  {
    name: "redrive replaces the whole header table when it is given one",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const inspector = inspectorOf(broker);
      await buryOneByOne(world, broker, 1);
      const headers = { retries: 0, "von Hand": true };
      const entries = (await list(inspector, world)).map(({ entryId }) => ({ entryId, headers }));
      assert.equal(await inspector.redrive(world.queue, entries), 1);
      assert.deepEqual(wellFormed(await (await world.consume(broker)).takeOne()).headers, headers);
    },
  },
  {
    name: "redrive starts the crash count at zero again",
    needs: ["inspector", "crash"],
    async run(world) {
      const [victim, survivor] = [await world.broker(), await world.broker()];
      const inspector = inspectorOf(survivor);
      await victim.publish([world.message("suspect")]);
      await (await world.consume(victim)).take(1);
      await world.crash(victim);
      const inbox = await world.consume(survivor);
      const suspects = await inbox.take(1, world.recoveryMs + world.soonMs);
      await settleAll(suspects, { kind: "bury", reason });
      assert.equal(await redriveAll(inspector, world), 1);
      assert.deepEqual([suspects[0]?.crashes, (await inbox.takeOne()).crashes], [1, 0]);
    },
  },
  {
    name: "a message that two operators redrive at the same time comes once",
    needs: ["inspector"],
    async run(world) {
      const [one, two] = [await world.broker(), await world.broker()];
      await buryOneByOne(world, one, 10);
      const entries = (await list(inspectorOf(one), world)).map(({ entryId }) => ({ entryId }));
      const counts = await Promise.all(
        [one, two, one, two].map((broker) => inspectorOf(broker).redrive(world.queue, entries)),
      );
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        10,
        "redriven in all",
      );
      const inbox = await world.consume(one);
      await ackAll(await inbox.take(10));
      await inbox.staysEmpty();
    },
  },
  {
    name: "redrive and drop answer how many entries there were",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const inspector = inspectorOf(broker);
      await buryOneByOne(world, broker, 3);
      const [first, second] = await list(inspector, world);
      assert.ok(first !== undefined && second !== undefined);
      assert.equal(await inspector.drop(world.queue, [first.entryId]), 1);
      assert.equal(await inspector.drop(world.queue, [first.entryId]), 0, "dropped a second time");
      assert.equal(
        await inspector.redrive(world.queue, [{ entryId: first.entryId }]),
        0,
        "redriven after it was dropped",
      );
      assert.equal(await inspector.redrive(world.queue, [{ entryId: second.entryId }]), 1);
      assert.equal(await inspector.drop(world.queue, [second.entryId]), 0, "dropped after it was redriven");
    },
  },
  {
    name: "a dropped dead letter is gone, and the others stay",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const inspector = inspectorOf(broker);
      await buryOneByOne(world, broker, 3);
      const letters = await list(inspector, world);
      await inspector.drop(
        world.queue,
        letters.filter((letter) => labelOf(letter) === "2").map(({ entryId }) => entryId),
      );
      assert.deepEqual((await list(inspector, world)).map(labelOf), ["3", "1"]);
      await (await world.consume(broker)).staysEmpty();
    },
  },
  {
    name: "dead letters are of one queue",
    needs: ["inspector"],
    async run(world) {
      const broker = await world.broker();
      const other = world.queueNamed("other");
      await broker.declare([{ name: other, priorities: false }]);
      await buryOneByOne(world, broker, 1);
      assert.deepEqual((await inspectorOf(broker).deadLetters(other, { limit: 10 })).items, []);
      assert.equal((await list(inspectorOf(broker), world)).length, 1);
    },
  },
];

/** Buries new messages in the order of their labels. */
async function buryOneByOne(world: World, broker: Broker, count: number, label?: string): Promise<void> {
  const inbox = await world.consume(broker, { prefetch: 1 });
  for (const message of label === undefined ? world.messages(count) : [world.message(label)]) {
    await broker.publish([message]);
    const delivery = await inbox.takeOne();
    assert.deepEqual(labelsOf([delivery]), [Buffer.from(message.body).toString()]);
    await settleAll([delivery], { kind: "bury", reason });
  }
  await inbox.consumer.stop();
}

async function list(inspector: QueueInspector, world: World): Promise<readonly DeadLetter[]> {
  return (await inspector.deadLetters(world.queue, { limit: 100 })).items;
}

/** A body may come as a Buffer or as a plain array. */
function plain(message: DeadLetter["message"]): object {
  return "malformed" in message ? message : { ...message, body: Buffer.from(message.body).toString("hex") };
}

async function redriveAll(inspector: QueueInspector, world: World): Promise<number> {
  return inspector.redrive(
    world.queue,
    (await list(inspector, world)).map(({ entryId }) => ({ entryId })),
  );
}

function labelOf({ message }: DeadLetter): string {
  return "malformed" in message ? "(malformed)" : Buffer.from(message.body).toString();
}
