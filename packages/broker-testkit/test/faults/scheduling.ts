import type { TickAnswer } from "@q/core/broker";
import { note, scheduling, type Fault } from "./fault.ts";

/** Broken promises about schedules and their ticks. */
export const schedulingFaults: readonly Fault[] = [
  {
    name: "a tick loses the headers of its message",
    caughtBy: ["a tick that is fired stores its message, unchanged"],
    broker: scheduling((schedules) => ({
      fire: (tick) =>
        schedules.fire({ ...tick, message: tick.message === null ? null : { ...tick.message, headers: {} } }),
    })),
  },
  {
    name: "each process keeps its own ticks",
    caughtBy: ["a tick that was fired, and each one before it, is not fired again, in any process"],
    broker: (healthy, site) => {
      const own = `of process ${site.brokers.length}`;
      return scheduling((schedules) => ({
        fire: (tick) => schedules.fire({ ...tick, name: `${tick.name} ${own}` }),
      }))(healthy, site);
    },
  },
  {
    name: "only the very last tick counts as fired",
    caughtBy: ["a tick that was fired, and each one before it, is not fired again, in any process"],
    broker: scheduling((schedules, site) => ({
      async fire(tick) {
        const { lastTick } = site.store.schedules.record(tick.name);
        if (lastTick !== null && tick.at < lastTick) site.store.schedules.record(tick.name).lastTick = null;
        return schedules.fire(tick);
      },
    })),
  },
  {
    name: "looking and recording are two steps",
    caughtBy: ["of eight processes that fire a tick at the same time, one does"],
    broker: scheduling((_schedules, site) => ({
      async fire(tick) {
        const { lastTick } = site.store.schedules.record(tick.name);
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        if (lastTick !== null && lastTick >= tick.at) return "already";
        if (tick.message !== null) site.store.publish([tick.message]);
        site.store.schedules.record(tick.name).lastTick = tick.at;
        return "fired";
      },
    })),
  },
  {
    name: "there is one last tick for all schedules",
    caughtBy: ["schedules of different names do not hinder each other"],
    broker: scheduling((schedules) => ({ fire: (tick) => schedules.fire({ ...tick, name: "all" }) })),
  },
  {
    name: "a tick without a message is not recorded",
    caughtBy: ["a tick without a message is recorded, and stores nothing"],
    broker: scheduling((schedules) => ({
      fire: async (tick): Promise<TickAnswer> => (tick.message === null ? "fired" : schedules.fire(tick)),
    })),
  },
  {
    name: "a schedule begins anew whenever it is told to",
    caughtBy: ["a schedule begins where it is first told to, and nowhere else"],
    broker: scheduling((_schedules, site) => ({
      async begin({ name, at }) {
        site.store.schedules.record(name).lastTick = at;
      },
    })),
  },
  {
    name: "a pause is the business of the process that asked for it",
    caughtBy: ["a paused schedule fires nothing in any process, keeps its last tick, and goes on when it is resumed"],
    broker: (healthy, site) => {
      const paused = new Set<string>();
      return scheduling((schedules) => ({
        async setPaused(name, isPaused) {
          if (isPaused) paused.add(name);
          else paused.delete(name);
        },
        fire: async (tick): Promise<TickAnswer> => (paused.has(tick.name) ? "paused" : schedules.fire(tick)),
      }))(healthy, site);
    },
  },
  {
    name: "a paused schedule records the ticks that it does not fire",
    caughtBy: ["a paused schedule fires nothing in any process, keeps its last tick, and goes on when it is resumed"],
    broker: scheduling((schedules, site) => ({
      async fire(tick) {
        const answer = await schedules.fire(tick);
        if (answer === "paused") site.store.schedules.record(tick.name).lastTick = tick.at;
        return answer;
      },
    })),
  },
  {
    name: "an entry that is put again begins anew",
    caughtBy: ["an entry is listed as it was put, in order of name, and put again it keeps its last tick"],
    broker: scheduling((schedules) => ({
      async put(name, entry) {
        await schedules.remove(name);
        await schedules.put(name, entry);
      },
    })),
  },
  {
    name: "schedules are listed as they came",
    caughtBy: ["an entry is listed as it was put, in order of name, and put again it keeps its last tick"],
    broker: scheduling((schedules, site) => ({
      put(name, entry) {
        note(site, "names", (): string[] => []).push(name);
        return schedules.put(name, entry);
      },
      async list() {
        const names = note(site, "names", (): string[] => []);
        return (await schedules.list()).toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
      },
    })),
  },
  {
    name: "a schedule that is removed keeps its last tick",
    caughtBy: ["a schedule that is removed is forgotten with its last tick, and fires no more as a stored one"],
    broker: scheduling((schedules, site) => ({
      async remove(name) {
        const { lastTick } = site.store.schedules.record(name);
        const removed = await schedules.remove(name);
        if (removed) site.store.schedules.record(name).lastTick = lastTick;
        return removed;
      },
    })),
  },
  {
    name: "a schedule that was removed fires on",
    caughtBy: ["a schedule that is removed is forgotten with its last tick, and fires no more as a stored one"],
    broker: scheduling((schedules) => ({ fire: (tick) => schedules.fire({ ...tick, isStored: false }) })),
  },
  {
    name: "the last tick is the queue's",
    caughtBy: ["a schedule that sends to another queue than before goes on where it was"],
    broker: scheduling((schedules) => ({
      fire: (tick) => schedules.fire({ ...tick, name: `${tick.name} ${tick.queue}` }),
    })),
  },
  {
    name: "a tick is fired whatever the time",
    caughtBy: ["a tick that is ahead of the broker's clock is not fired, where the broker has one"],
    broker: scheduling((schedules, site) => ({
      async fire(tick) {
        const answer = await schedules.fire(tick);
        if (answer !== "early") return answer;
        if (tick.message !== null) site.store.publish([tick.message]);
        site.store.schedules.record(tick.name).lastTick = tick.at;
        return "fired";
      },
    })),
  },
  {
    name: "a tick that could not be fired counts as fired",
    caughtBy: ["a tick that could not be fired while cut off is fired afterwards, once"],
    broker: scheduling((schedules, site) => ({
      async fire(tick) {
        try {
          return await schedules.fire(tick);
        } catch (error) {
          site.store.schedules.record(tick.name).lastTick = tick.at;
          throw error;
        }
      },
    })),
  },
  {
    name: "the message of a tick counts once, and not when it comes again",
    caughtBy: [
      "the message of a tick that was sent once counts, as often as it is handed out, where one may be sent twice",
    ],
    broker: scheduling((_schedules, site) => ({
      async counts({ at }) {
        const asked = note(site, "asked", () => new Set<number>());
        const isFirst = !asked.has(at);
        asked.add(at);
        return isFirst;
      },
    })),
  },
];
