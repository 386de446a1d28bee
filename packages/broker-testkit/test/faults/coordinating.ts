import type { JsonObject } from "@q/core/broker";
import { broadcasting, leasing, note, type Fault, type Site } from "./fault.ts";

/** Broken promises between processes: broadcasts and leases. */
export const coordinatingFaults: readonly Fault[] = [
  {
    name: "a broadcast reaches whoever listened first",
    caughtBy: ["a broadcast reaches every subscriber, in its own broker and in others, unchanged"],
    broker: broadcasting((bus, site) => ({
      subscribe(channel, onPayload) {
        const isFirst = note(site, channel, () => ({ listeners: 0 })).listeners++ === 0;
        return bus.subscribe(channel, isFirst ? onPayload : () => undefined);
      },
    })),
  },
  {
    name: "a channel may be written in capitals",
    caughtBy: ["a channel that is no name, and a payload of more than 64 KiB, are refused"],
    broker: broadcasting((bus) => ({
      broadcast: (channel, payload) => bus.broadcast(channel.toLowerCase(), payload),
    })),
  },
  {
    name: "long broadcasts are dropped",
    caughtBy: ["a payload of 60 KiB arrives"],
    broker: broadcasting((bus) => ({
      broadcast: async (channel, payload) =>
        JSON.stringify(payload).length > 8000 ? undefined : bus.broadcast(channel, payload),
    })),
  },
  {
    name: "broadcasts overtake each other",
    caughtBy: ["broadcasts of one sender arrive in order"],
    broker: broadcasting((bus, site) => ({
      async broadcast(channel, payload) {
        const late = note(site, "sent", () => ({ count: 0 })).count++ % 2 === 0;
        if (late) site.later(5, () => bus.broadcast(channel, payload).catch(() => undefined));
        else await bus.broadcast(channel, payload);
      },
    })),
  },
  {
    name: "a subscription cannot be closed",
    caughtBy: ["a closed subscription hears nothing more, and may be closed twice"],
    broker: broadcasting((bus) => ({
      async subscribe(channel, onPayload) {
        await bus.subscribe(channel, onPayload);
        return { close: async () => undefined };
      },
    })),
  },
  {
    name: "all channels are one",
    caughtBy: ["a subscriber hears only its channel"],
    broker: broadcasting((bus) => ({
      broadcast: (_channel, payload) => bus.broadcast("one", payload),
      subscribe: (_channel, onPayload) => bus.subscribe("one", onPayload),
    })),
  },
  {
    name: "who comes late hears the last broadcast again",
    caughtBy: ["a broadcast is not stored: who comes later has missed it"],
    broker: broadcasting((bus, site) => ({
      broadcast(channel, payload) {
        site.notes.set(channel, payload);
        return bus.broadcast(channel, payload);
      },
      subscribe(channel, onPayload) {
        const last = site.notes.get(channel);
        if (last !== undefined) onPayload(last as JsonObject);
        return bus.subscribe(channel, onPayload);
      },
    })),
  },
  {
    name: "payloads of any kind are handed on",
    caughtBy: ["a payload that is not an object is dropped, and the next one arrives"],
    broker: broadcasting((bus) => ({
      broadcast: (channel, payload) => bus.broadcast(channel, { payload }),
      // What the fault is about: it may be no object.
      subscribe: (channel, onPayload) => bus.subscribe(channel, ({ payload }) => onPayload(payload as JsonObject)),
    })),
  },
  {
    name: "everybody gets the lease",
    caughtBy: ["a lease has one holder"],
    broker: ({ leases }, site) => ({
      leases: {
        acquire: (name, ttlMs) =>
          leases.acquire(`${name} ${note(site, "holders", () => ({ count: 0 })).count++}`, ttlMs),
      },
    }),
  },
  {
    name: "there is one lease",
    caughtBy: ["leases of different names do not hinder each other"],
    broker: ({ leases }) => ({ leases: { acquire: (_name, ttlMs) => leases.acquire("the lease", ttlMs) } }),
  },
  {
    name: "a lease cannot be released",
    caughtBy: ["a released lease goes to the next one, and may be released twice"],
    broker: leasing(() => ({ release: async () => undefined })),
  },
  {
    name: "a lease is not renewed",
    caughtBy: ["a lease is renewed for as long as its holder lives"],
    broker: leasing((lease, site, ttlMs) => {
      site.later(ttlMs, () => lease.release());
      return {};
    }),
  },
  {
    name: "every lease has the same fence number",
    caughtBy: ["the fence number of a lease grows with each holder"],
    broker: leasing(() => ({ fence: 7 })),
  },
  {
    name: "a lost lease does not say so",
    caughtBy: ["lost aborts when a lease could not be renewed"],
    broker: leasing(() => ({ lost: new AbortController().signal })),
  },
  {
    name: "a lease is released by name",
    caughtBy: ["a late release leaves the lease with its new holder"],
    broker: leasing((lease, site) => {
      site.notes.set(lease.name, lease);
      return { release: () => releaseNamed(site, lease.name) };
    }),
  },
];

async function releaseNamed(site: Site, name: string): Promise<void> {
  // Only leases are noted, under their names.
  await (site.notes.get(name) as { release(): Promise<void> }).release();
}
