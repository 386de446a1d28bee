import assert from "node:assert/strict";
import {
  tickHeader,
  tickToleranceMs,
  type Broker,
  type JsonObject,
  type StoredSchedule,
  type Tick,
  type TickAnswer,
} from "@q/core/broker";
import type { Check } from "../check.ts";
import { labelsOf, wellFormed } from "../inbox.ts";
import { eventually } from "../wait.ts";
import { schedulesOf, type World } from "../world.ts";

/** Levels that a call may have, less the list around its arguments. */
const deepestArguments = 63;

export const scheduleChecks: readonly Check[] = [
  {
    name: "a tick that is fired stores its message, unchanged",
    needs: ["schedules"],
    async run(world) {
      const broker = await world.broker();
      const message = world.message("tick", { headers: { ä: [1, null] } });
      const at = await past(broker);
      assert.equal(await fire(world, broker, { ...tick(world, "one", at), message }), "fired");
      const delivery = await (await world.consume(broker)).takeOne();
      assert.deepEqual(
        [labelsOf([delivery]), wellFormed(delivery).id, wellFormed(delivery).headers],
        [["tick"], message.id, message.headers],
      );
      assert.equal((await listed(world, broker, "one"))?.lastTick, at);
    },
  },
  {
    name: "a tick that was fired, and each one before it, is not fired again, in any process",
    needs: ["schedules"],
    async run(world) {
      const [first, second] = [await world.broker(), await world.broker()];
      const at = await past(first);
      assert.equal(await fire(world, first, tick(world, "one", at)), "fired");
      await first.close();
      const again = [at, at - 1, at - 60_000, at + 1];
      const answers: TickAnswer[] = [];
      for (const time of again) answers.push(await fire(world, second, tick(world, "one", time)));
      assert.deepEqual(answers, ["already", "already", "already", "fired"]);
      const inbox = await world.consume(second);
      assert.deepEqual(labelsOf(await inbox.take(2)), [String(at), String(at + 1)]);
      await inbox.staysEmpty();
    },
  },
  {
    name: "of eight processes that fire a tick at the same time, one does",
    needs: ["schedules"],
    async run(world) {
      const brokers = await Promise.all(Array.from({ length: 8 }, () => world.broker()));
      const [receiver] = brokers;
      assert.ok(receiver !== undefined);
      const at = await past(receiver);
      let fired = 0;
      // More than once: where one process leads, it may not have been elected yet.
      await eventually(async () => {
        const answers = await Promise.all(brokers.map((broker) => schedulesOf(broker).fire(tick(world, "race", at))));
        fired += answers.filter((answer) => answer === "fired").length;
        assert.deepEqual(
          answers.filter((answer) => !["fired", "already", "standby"].includes(answer)),
          [],
        );
        return fired > 0;
      }, world.soonMs);
      assert.equal(fired, 1, "processes that fired it");
      const inbox = await world.consume(receiver);
      await inbox.take(1);
      await inbox.staysEmpty();
    },
  },
  {
    name: "schedules of different names do not hinder each other",
    needs: ["schedules"],
    async run(world) {
      const broker = await world.broker();
      const at = await past(broker);
      const names = ["a", "b", "a:b", "A", "ä 🔑"];
      for (const name of names) assert.equal(await fire(world, broker, tick(world, name, at)), "fired", name);
      await (await world.consume(broker)).take(names.length);
    },
  },
  {
    name: "a tick without a message is recorded, and stores nothing",
    needs: ["schedules"],
    async run(world) {
      const broker = await world.broker();
      const at = await past(broker);
      assert.equal(await fire(world, broker, { ...tick(world, "one", at), message: null }), "fired");
      assert.equal(await fire(world, broker, tick(world, "one", at)), "already");
      assert.equal((await listed(world, broker, "one"))?.lastTick, at);
      await (await world.consume(broker)).staysEmpty();
    },
  },
  {
    name: "a schedule begins where it is first told to, and nowhere else",
    needs: ["schedules"],
    async run(world) {
      const broker = await world.broker();
      const store = schedulesOf(broker);
      const at = await past(broker);
      const start = { name: world.scheduleNamed("one"), queue: world.queue };
      // Through a tick first: where one process leads, this one must.
      await fire(world, broker, tick(world, "other", at));
      await store.begin({ ...start, at });
      assert.equal((await listed(world, broker, "one"))?.lastTick, at);
      await store.begin({ ...start, at: at + 1000 });
      assert.equal((await listed(world, broker, "one"))?.lastTick, at, "a second begin moved it");
      assert.equal(await fire(world, broker, tick(world, "one", at)), "already");
      assert.equal(await fire(world, broker, tick(world, "one", at + 1)), "fired");
    },
  },
  {
    name: "a paused schedule fires nothing in any process, keeps its last tick, and goes on when it is resumed",
    needs: ["schedules"],
    async run(world) {
      const [first, second] = [await world.broker(), await world.broker()];
      const at = await past(first);
      const name = world.scheduleNamed("one");
      await fire(world, first, tick(world, "one", at));
      await schedulesOf(second).setPaused(name, true);
      for (const broker of [first, second]) {
        const answer = await schedulesOf(broker).fire(tick(world, "one", at + 1));
        assert.ok(answer === "paused" || answer === "standby", `expected "paused", got "${answer}"`);
      }
      const paused = await listed(world, first, "one");
      assert.deepEqual([paused?.paused, paused?.lastTick], [true, at]);
      await schedulesOf(first).setPaused(name, false);
      assert.equal(await fire(world, first, tick(world, "one", at + 1)), "fired");
      assert.equal((await listed(world, first, "one"))?.paused, false);
      const inbox = await world.consume(first);
      assert.deepEqual(labelsOf(await inbox.take(2)), [String(at), String(at + 1)]);
      await inbox.staysEmpty();
    },
  },
  {
    name: "an entry is listed as it was put, in order of name, and put again it keeps its last tick",
    needs: ["schedules"],
    async run(world) {
      const broker = await world.broker();
      const store = schedulesOf(broker);
      const at = await past(broker);
      // As deep as the arguments of a call may be.
      let deep: JsonObject = { end: null };
      for (let level = 1; level < deepestArguments; level += 1) deep = { deep };
      const entry = { cron: "0 5 * * *", args: { ä: [1, null, { deep: true }], ...deep } };
      for (const label of ["c", "a", "b"]) await store.put(world.scheduleNamed(label), { ...entry, label });
      assert.deepEqual(
        (await mine(world, broker)).map((stored) => [stored.name, stored.entry]),
        ["a", "b", "c"].map((label) => [world.scheduleNamed(label), { ...entry, label }]),
      );
      assert.equal(await fire(world, broker, { ...tick(world, "b", at), isStored: true }), "fired");
      await store.put(world.scheduleNamed("b"), { cron: "0 6 * * *" });
      const changed = await listed(world, broker, "b");
      assert.deepEqual([changed?.entry, changed?.lastTick, changed?.paused], [{ cron: "0 6 * * *" }, at, false]);
    },
  },
  {
    name: "a schedule that is removed is forgotten with its last tick, and fires no more as a stored one",
    needs: ["schedules"],
    async run(world) {
      const broker = await world.broker();
      const store = schedulesOf(broker);
      const at = await past(broker);
      const name = world.scheduleNamed("one");
      await store.put(name, { every: "1s" });
      await store.setPaused(name, true);
      await store.begin({ name, queue: world.queue, at });
      assert.equal(await store.remove(name), true);
      assert.equal(await store.remove(name), false);
      assert.equal(await listed(world, broker, "one"), undefined);
      assert.equal(await fire(world, broker, { ...tick(world, "one", at + 1), isStored: true }), "gone");
      assert.equal(await listed(world, broker, "one"), undefined, "firing it brought it back");
      await store.put(name, { every: "1s" });
      assert.equal(await fire(world, broker, { ...tick(world, "one", at), isStored: true }), "fired");
      const inbox = await world.consume(broker);
      assert.deepEqual(labelsOf(await inbox.take(1)), [String(at)]);
      await inbox.staysEmpty();
    },
  },
  {
    name: "a schedule that sends to another queue than before goes on where it was",
    needs: ["schedules"],
    async run(world) {
      const broker = await world.broker();
      const other = world.queueNamed("other");
      await broker.declare([{ name: other, priorities: false }]);
      const at = await past(broker);
      const moved = (time: number): Tick => tick(world, "one", time, { queue: other });
      assert.equal(await fire(world, broker, tick(world, "one", at)), "fired");
      await schedulesOf(broker).begin({ name: world.scheduleNamed("one"), queue: other, at: at - 10 });
      assert.equal(await fire(world, broker, moved(at)), "already");
      assert.equal(await fire(world, broker, moved(at + 1)), "fired");
      assert.equal((await listed(world, broker, "one"))?.lastTick, at + 1);
      const inbox = await world.consume(broker, { queues: [other] });
      assert.deepEqual(labelsOf(await inbox.take(1)), [String(at + 1)]);
      assert.equal(await schedulesOf(broker).remove(world.scheduleNamed("one")), true);
      assert.equal(await listed(world, broker, "one"), undefined);
    },
  },
  {
    name: "a tick that is ahead of the broker's clock is not fired, where the broker has one",
    needs: ["schedules"],
    async run(world) {
      const broker = await world.broker();
      const store = schedulesOf(broker);
      const now = await store.now();
      if (now === null) return;
      assert.ok(Number.isInteger(now), `now() answered ${now}: expected whole milliseconds`);
      // Far enough that the machine may stand still meanwhile.
      const ahead = now + world.soonMs + tickToleranceMs;
      assert.equal(await store.fire(tick(world, "one", ahead)), "early");
      assert.equal(await fire(world, broker, tick(world, "one", now)), "fired");
      assert.equal((await listed(world, broker, "one"))?.lastTick, now);
    },
  },
  {
    name: "a tick that could not be fired while cut off is fired afterwards, once",
    needs: ["schedules", "interrupt"],
    async run(world) {
      const [sender, receiver] = [await world.broker(), await world.broker()];
      const at = await past(sender);
      await fire(world, sender, tick(world, "one", at - 1));
      const restore = await world.interrupt(sender);
      await assert.rejects(schedulesOf(sender).fire(tick(world, "one", at)));
      await restore();
      await eventually(async () => {
        const answer = await schedulesOf(sender)
          .fire(tick(world, "one", at))
          .catch((error: unknown) => assert.fail(String(error)));
        // `already`, when only the answer got lost.
        assert.ok(answer === "fired" || answer === "already", answer);
      }, world.soonMs);
      const inbox = await world.consume(receiver);
      assert.deepEqual(labelsOf(await inbox.take(2)), [String(at - 1), String(at)]);
      await inbox.staysEmpty();
    },
  },
  {
    name: "the message of a tick that was sent once counts, as often as it is handed out, where one may be sent twice",
    needs: ["schedules"],
    async run(world) {
      const [first, second] = [await world.broker(), await world.broker()];
      if (schedulesOf(first).counts === undefined) return;
      const at = (await past(first)) - 3;
      for (const time of [at, at + 1, at + 2]) assert.equal(await fire(world, first, tickToAsk(world, time)), "fired");
      const inbox = await world.consume(second);
      for (const [index, delivery] of (await inbox.take(3)).entries()) {
        const asked = { name: world.scheduleNamed("one"), at: at + index };
        for (const broker of [first, second, first])
          assert.equal(await schedulesOf(broker).counts?.(asked, wellFormed(delivery)), true, `tick ${index + 1}`);
      }
    },
  },
];

/** One of which workers ask whether it counts. */
function tickToAsk(world: World, at: number): Tick {
  return { ...tick(world, "one", at), message: world.message(String(at), { headers: { [tickHeader]: at } }) };
}

/** A tick whose message has its time as label. */
function tick(world: World, label: string, at: number, { queue = world.queue } = {}): Tick {
  const message = world.message(String(at), { queue });
  return { name: world.scheduleNamed(label), at, queue, message, isStored: false };
}

/** A time that is over by the broker's clock. */
async function past(broker: Broker): Promise<number> {
  return ((await schedulesOf(broker).now()) ?? Date.now()) - 60_000;
}

/** Fires in a process that may have to become the leader first. */
async function fire(world: World, broker: Broker, wanted: Tick): Promise<TickAnswer> {
  let answer: TickAnswer = "standby";
  await eventually(async () => {
    answer = await schedulesOf(broker).fire(wanted);
    return answer !== "standby";
  }, world.soonMs);
  return answer;
}

/** The schedules of this check, as they are listed. */
async function mine(world: World, broker: Broker): Promise<readonly StoredSchedule[]> {
  const all = await schedulesOf(broker).list();
  return all.filter(({ name }) => name.startsWith(world.scheduleNamed("")));
}

async function listed(world: World, broker: Broker, label: string): Promise<StoredSchedule | undefined> {
  return (await mine(world, broker)).find(({ name }) => name === world.scheduleNamed(label));
}
