import assert from "node:assert/strict";
import type { Broker, JsonObject, Subscription } from "@q/core/broker";
import type { Check } from "../check.ts";
import { eventually } from "../wait.ts";
import { controlOf, type World } from "../world.ts";

export const controlChecks: readonly Check[] = [
  {
    name: "a broadcast reaches every subscriber, in its own broker and in others, unchanged",
    needs: ["control"],
    async run(world) {
      const brokers = [await world.broker(), await world.broker(), await world.broker()];
      const listeners = await Promise.all(brokers.map((broker) => listen(world, broker)));
      const payload = { "grüße 👋": ["日本", 1.5, null, { nested: true }] };
      await broadcast(world, brokers[0], payload);
      for (const { heard } of listeners) await eventually(() => assert.deepEqual(heard, [payload]), world.soonMs);
    },
  },
  {
    name: "a payload of 60 KiB arrives",
    needs: ["control"],
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const { heard } = await listen(world, receiver);
      const payload = { text: "x".repeat(60 * 1024) };
      await broadcast(world, sender, payload);
      await eventually(() => assert.deepEqual(heard, [payload]), world.soonMs);
    },
  },
  {
    name: "a channel that is no name, and a payload of more than 64 KiB, are refused",
    needs: ["control"],
    async run(world) {
      const control = controlOf(await world.broker());
      const refused = { code: "Q1014" };
      for (const channel of ["", "Main", "a b", "*", "x".repeat(65)]) {
        await assert.rejects(control.broadcast(channel, {}), refused);
        await assert.rejects(
          control.subscribe(channel, () => undefined),
          refused,
        );
      }
      await assert.rejects(control.broadcast("main", { text: "ü".repeat(32 * 1024) }), refused);
      await control.broadcast("main", { text: "x".repeat(64 * 1024 - 11) });
    },
  },
  {
    name: "broadcasts of one sender arrive in order",
    needs: ["control"],
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const { heard } = await listen(world, receiver);
      const sent = Array.from({ length: 50 }, (_, number) => ({ number }));
      for (const payload of sent) await broadcast(world, sender, payload);
      await eventually(() => assert.ok(heard.length >= 50, `${heard.length} of 50 heard`), world.soonMs);
      assert.deepEqual(heard, sent);
    },
  },
  {
    name: "a closed subscription hears nothing more, and may be closed twice",
    needs: ["control"],
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const [closed, open] = [await listen(world, receiver), await listen(world, receiver)];
      await closed.subscription.close();
      await closed.subscription.close();
      await broadcast(world, sender, { after: "close" });
      await eventually(() => assert.deepEqual(open.heard, [{ after: "close" }]), world.soonMs);
      assert.deepEqual(closed.heard, []);
    },
  },
  {
    name: "a subscriber hears only its channel",
    needs: ["control"],
    async run(world) {
      const broker = await world.broker();
      const [here, there] = [await listen(world, broker), await listen(world, broker, "other")];
      await broadcast(world, broker, { to: "here" });
      await broadcast(world, broker, { to: "there" }, "other");
      await eventually(() => assert.deepEqual(there.heard, [{ to: "there" }]), world.soonMs);
      await eventually(() => assert.deepEqual(here.heard, [{ to: "here" }]), world.soonMs);
    },
  },
  {
    name: "a broadcast is not stored: who comes later has missed it",
    needs: ["control"],
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const other = await listen(world, receiver, "other");
      await broadcast(world, sender, { too: "early" });
      // In order per sender: who has heard the second is past the first, which may be on its way through a cluster.
      await broadcast(world, sender, { comes: "second" }, "other");
      await eventually(() => assert.equal(other.heard.length, 1), world.soonMs);
      const { heard } = await listen(world, receiver);
      await broadcast(world, sender, { in: "time" });
      await eventually(() => assert.ok(heard.length > 0, "nothing was heard"), world.soonMs);
      await world.pause();
      assert.deepEqual(heard, [{ in: "time" }]);
    },
  },
  {
    name: "a payload that is not an object is dropped, and the next one arrives",
    needs: ["control"],
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const { heard } = await listen(world, receiver);
      for (const payload of [[1], "text", 7, null]) {
        // What a foreign program may send; refusing it here will do as well.
        await broadcast(world, sender, payload as unknown as JsonObject).catch(() => undefined);
      }
      await broadcast(world, sender, { sound: true });
      await eventually(() => assert.ok(heard.length > 0, "nothing was heard"), world.soonMs);
      assert.deepEqual(heard, [{ sound: true }]);
    },
  },
  {
    name: "a closed broker hears no broadcasts",
    needs: ["control"],
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const { heard } = await listen(world, receiver);
      await receiver.close();
      await broadcast(world, sender, { after: "close" });
      await world.pause();
      assert.deepEqual(heard, []);
    },
  },
];

function channelOf(world: World, label: string): string {
  return `kit.${world.id}.${label}`;
}

async function listen(
  world: World,
  broker: Broker,
  label = "main",
): Promise<{ heard: JsonObject[]; subscription: Subscription }> {
  const heard: JsonObject[] = [];
  const subscription = await controlOf(broker).subscribe(
    channelOf(world, label),
    (payload) => void heard.push(payload),
  );
  return { heard, subscription };
}

async function broadcast(world: World, broker: Broker | undefined, payload: JsonObject, label = "main"): Promise<void> {
  assert.ok(broker !== undefined);
  await controlOf(broker).broadcast(channelOf(world, label), payload);
}
