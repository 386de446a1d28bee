import assert from "node:assert/strict";
import type { Broker, Delivery } from "@q/core/broker";
import type { Check } from "../check.ts";
import { ack, labelOf, labelsOf, settleAll } from "../inbox.ts";
import type { World } from "../world.ts";

export const poisonChecks: readonly Check[] = [
  {
    name: "a message that nobody died with has no crashes",
    async run(world) {
      const broker = await world.broker();
      await broker.publish([world.message("harmless")]);
      const inbox = await world.consume(broker);
      const first = await inbox.takeOne();
      assert.equal(first.crashes, 0);
      await settleAll([first], { kind: "release" });
      assert.equal((await inbox.takeOne()).crashes, 0);
    },
  },
  {
    name: "the first death counts for everything that was held",
    needs: ["crash"],
    async run(world) {
      const victim = await world.broker();
      await victim.publish(world.messages(3));
      const suspects = await dieHolding(world, victim, 3);
      assert.deepEqual(
        suspects.map(({ crashes }) => crashes),
        [1, 1, 1],
      );
    },
  },
  {
    name: "from then on a death counts only for the suspect that was started: its neighbours never get past one",
    needs: ["crash"],
    async run(world) {
      const first = await world.broker();
      await first.publish(world.messages(3));
      const second = await world.broker();
      const suspects = await dieHolding(world, first, 3, second);
      const poison = suspects[0];
      assert.ok(poison !== undefined);
      assert.equal(await poison.start(), "settled");
      await world.crash(second);
      const inbox = await world.consume(await world.broker());
      const survivors = await inbox.take(3, world.secondRecoveryMs + world.soonMs);
      const crashes = new Map(survivors.map((delivery) => [labelOf(delivery), delivery.crashes]));
      const guilty = labelOf(poison);
      assert.equal(crashes.get(guilty), 2, "crashes of the one that was started");
      crashes.delete(guilty);
      assert.deepEqual([...crashes.values()], [1, 1], "crashes of its neighbours");
    },
  },
  {
    name: "requeue starts the crash count at zero again",
    needs: ["crash"],
    async run(world) {
      const victim = await world.broker();
      await victim.publish([world.message("survived")]);
      const survivor = await world.broker();
      const [suspect] = await dieHolding(world, victim, 1, survivor);
      assert.ok(suspect !== undefined);
      assert.equal(suspect.crashes, 1);
      await settleAll([suspect], { kind: "requeue", delayMs: 0 });
      const inbox = await world.consume(await world.broker());
      await survivor.close();
      assert.equal((await inbox.takeOne()).crashes, 0);
    },
  },
  {
    name: "release and close keep the crash count",
    needs: ["crash"],
    async run(world) {
      const victim = await world.broker();
      await victim.publish([world.message("suspect")]);
      const survivor = await world.broker();
      const suspects = await dieHolding(world, victim, 1, survivor);
      await settleAll(suspects, { kind: "release" });
      const third = await world.broker();
      const inbox = await world.consume(third);
      await survivor.close();
      assert.equal((await inbox.takeOne()).crashes, 1, "after a release");
      await third.close();
      const again = await (await world.consume(await world.broker())).takeOne();
      assert.deepEqual([labelsOf([again]), again.crashes], [["suspect"], 1]);
      await ack(again);
    },
  },
];

/** Lets a process die with `count` messages in hand; answers them as `next` gets them. */
async function dieHolding(world: World, victim: Broker, count: number, next?: Broker): Promise<Delivery[]> {
  await (await world.consume(victim, { prefetch: count })).take(count);
  await world.crash(victim);
  const inbox = await world.consume(next ?? (await world.broker()), { prefetch: count });
  const suspects = await inbox.take(count, world.recoveryMs + world.soonMs);
  await inbox.consumer.stop();
  return suspects;
}
