import assert from "node:assert/strict";
import type { Check } from "../check.ts";
import { ackAll, labelOf, malformed, settleAll } from "../inbox.ts";
import { inspectorOf, type World } from "../world.ts";

const garbage: readonly Uint8Array[] = [
  Buffer.from("no message at all"),
  Buffer.from('{"headers":'),
  Buffer.from("null"),
  Buffer.from("[]"),
  Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc0]),
  Buffer.from("[".repeat(20_000)),
];
const reason = { code: "malformed", message: "not a message" };

export const malformedChecks: readonly Check[] = [
  {
    name: "garbage is delivered as malformed, with its bytes and what is wrong with them",
    needs: ["inject"],
    async run(world) {
      const broker = await world.broker();
      for (const raw of garbage) await world.inject(raw);
      const deliveries = await (await world.consume(broker)).take(garbage.length);
      const messages = deliveries.map(malformed);
      assert.deepEqual(messages.map(({ raw }) => hex(raw)).toSorted(), garbage.map(hex).toSorted());
      for (const message of messages) {
        assert.equal(message.queue, world.queue);
        assert.notEqual(message.malformed, "");
      }
    },
  },
  {
    name: "garbage does not stop its neighbours",
    needs: ["inject"],
    async run(world) {
      const broker = await world.broker();
      await broker.publish([world.message("before")]);
      await world.inject(Buffer.from("garbage"));
      await broker.publish([world.message("after")]);
      const deliveries = await (await world.consume(broker)).take(3);
      assert.deepEqual(deliveries.map(labelOf).toSorted(), ["(malformed)", "after", "before"]);
      await ackAll(deliveries);
    },
  },
  {
    name: "buried garbage does not come again",
    needs: ["inject"],
    async run(world) {
      const broker = await world.broker();
      await world.inject(Buffer.from("garbage"));
      const inbox = await world.consume(broker);
      await settleAll(await inbox.take(1), { kind: "bury", reason });
      await inbox.staysEmpty();
    },
  },
  {
    name: "garbage that is given back is delivered again",
    needs: ["inject"],
    async run(world) {
      const broker = await world.broker();
      await world.inject(Buffer.from("garbage"));
      const inbox = await world.consume(broker);
      await settleAll(await inbox.take(1), { kind: "release" });
      assert.equal(hex(malformed(await inbox.takeOne()).raw), hex(Buffer.from("garbage")));
    },
  },
  ...[0, 50].map((delayMs) => ({
    name: `garbage that is requeued${delayMs === 0 ? "" : " with a delay"} comes again with its bytes`,
    needs: ["inject" as const],
    async run(world: World) {
      const broker = await world.broker();
      for (const raw of garbage) await world.inject(raw);
      const inbox = await world.consume(broker);
      await settleAll(await inbox.take(garbage.length), { kind: "requeue", delayMs });
      const again = (await inbox.take(garbage.length)).map((delivery) => hex(malformed(delivery).raw));
      assert.deepEqual(again.toSorted(), garbage.map(hex).toSorted());
    },
  })),
  {
    name: "buried garbage is listed with its bytes",
    needs: ["inject", "inspector"],
    async run(world) {
      const broker = await world.broker();
      for (const raw of garbage) await world.inject(raw);
      const inbox = await world.consume(broker);
      await settleAll(await inbox.take(garbage.length), { kind: "bury", reason });
      const { items } = await inspectorOf(broker).deadLetters(world.queue, { limit: 100 });
      const listed = items.map(({ message }) => ("malformed" in message ? hex(message.raw) : "a sound message"));
      assert.deepEqual(listed.toSorted(), garbage.map(hex).toSorted());
    },
  },
  {
    name: "redrive leaves garbage dead",
    needs: ["inject", "inspector"],
    async run(world) {
      const broker = await world.broker();
      const inspector = inspectorOf(broker);
      await world.inject(Buffer.from("garbage"));
      const inbox = await world.consume(broker);
      await settleAll(await inbox.take(1), { kind: "bury", reason });
      const { items } = await inspector.deadLetters(world.queue, { limit: 10 });
      const entries = items.map(({ entryId }) => ({ entryId }));
      assert.equal(entries.length, 1);
      assert.equal(await inspector.redrive(world.queue, entries), 0);
      await inbox.staysEmpty();
      assert.equal((await inspector.deadLetters(world.queue, { limit: 10 })).items.length, 1);
    },
  },
];

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
