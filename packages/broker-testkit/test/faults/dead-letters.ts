import type { DeadLetter, QueueInspector } from "@q/core/broker";
import { inspecting, reverse, settling, type Fault } from "./fault.ts";

/** Broken promises about dead letters. */
export const deadLetterFaults: readonly Fault[] = [
  {
    name: "of a reason, code and plain letters are kept",
    caughtBy: ["a dead letter keeps its message and the whole reason"],
    broker: settling((outcome, delivery) =>
      outcome.kind === "bury"
        ? delivery.settle({
            kind: "bury",
            reason: { code: outcome.reason.code, message: outcome.reason.message.replace(/[^ -~]/g, "?") },
          })
        : undefined,
    ),
  },
  {
    name: "bury throws the message away",
    caughtBy: [
      "a dead letter survives the crash of who buried it",
      "a dead letter keeps its message and the whole reason",
    ],
    broker: settling((outcome, delivery) => (outcome.kind === "bury" ? delivery.settle({ kind: "ack" }) : undefined)),
  },
  {
    name: "dead letters are listed oldest first",
    caughtBy: ["dead letters are listed newest first"],
    broker: inspecting((inspector) => ({
      deadLetters: async (queue) => ({ items: (await all(inspector, queue)).toReversed(), next: null }),
    })),
  },
  {
    name: "pages of dead letters are counted from the newest",
    caughtBy: ["pages of dead letters are complete and repeat nothing, also while more die"],
    broker: inspecting((inspector) => ({
      async deadLetters(queue, { limit, cursor }) {
        const letters = await all(inspector, queue);
        const from = Number(cursor ?? 0);
        return {
          items: letters.slice(from, from + limit),
          next: from + limit < letters.length ? String(from + limit) : null,
        };
      },
    })),
  },
  {
    name: "looking at a dead letter takes it away",
    caughtBy: ["looking at dead letters changes nothing"],
    broker: inspecting((inspector) => ({
      async deadLetters(queue, options) {
        const page = await inspector.deadLetters(queue, options);
        await inspector.drop(
          queue,
          page.items.slice(0, 1).map(({ entryId }) => entryId),
        );
        return page;
      },
    })),
  },
  {
    name: "a dead letter is named after its message",
    caughtBy: ["a message that died twice has two entries"],
    broker: inspecting((inspector) => ({
      async deadLetters(queue, options) {
        const { items, next } = await inspector.deadLetters(queue, options);
        return {
          items: items.map((letter) => ({
            ...letter,
            entryId: "id" in letter.message ? letter.message.id : letter.entryId,
          })),
          next,
        };
      },
    })),
  },
  {
    name: "redrive puts messages before those that wait",
    caughtBy: ["a redriven message comes again behind those that wait, and is dead no more"],
    broker: inspecting((inspector, _healthy, site) => ({
      async redrive(queue, entries) {
        const count = await inspector.redrive(queue, entries);
        reverse(site, queue);
        return count;
      },
    })),
  },
  {
    name: "redrive sends a copy and then deletes the letter, in two steps",
    caughtBy: ["a message that two operators redrive at the same time comes once"],
    broker: inspecting((inspector, healthy) => ({
      async redrive(queue, entries) {
        const wanted = (await all(inspector, queue)).filter(({ entryId }) =>
          entries.some((entry) => entry.entryId === entryId),
        );
        await Promise.resolve();
        for (const { message } of wanted) if ("id" in message) await healthy.publish([message]);
        await inspector.drop(
          queue,
          wanted.map(({ entryId }) => entryId),
        );
        return wanted.length;
      },
    })),
  },
  {
    name: "redrive answers how many it was asked for",
    caughtBy: ["redrive and drop answer how many entries there were"],
    broker: inspecting((inspector) => ({
      async redrive(queue, entries) {
        await inspector.redrive(queue, entries);
        return entries.length;
      },
    })),
  },
  {
    name: "redrive merges the headers",
    caughtBy: ["redrive replaces the whole header table when it is given one"],
    broker: inspecting((inspector) => ({
      async redrive(queue, entries) {
        const letters = new Map((await all(inspector, queue)).map((letter) => [letter.entryId, letter.message]));
        const merged = entries.map(({ entryId, headers }) => {
          const message = letters.get(entryId);
          return {
            entryId,
            headers: { ...(message !== undefined && "headers" in message ? message.headers : {}), ...headers },
          };
        });
        return inspector.redrive(queue, merged);
      },
    })),
  },
  {
    name: "redrive keeps the crash count",
    caughtBy: ["redrive starts the crash count at zero again"],
    broker: inspecting((inspector, _healthy, site) => ({
      async redrive(queue, entries) {
        const letters = [...site.store.queue(queue).dead.values()];
        const crashes = letters.map(({ stored }) => stored.crashes);
        await inspector.pause(queue);
        const count = await inspector.redrive(queue, entries);
        for (const [index, { stored }] of letters.entries()) stored.crashes = crashes[index] ?? 0;
        await inspector.resume(queue);
        return count;
      },
    })),
  },
  {
    name: "drop empties the list",
    caughtBy: ["a dropped dead letter is gone, and the others stay"],
    broker: inspecting((inspector) => ({
      drop: async (queue) =>
        inspector.drop(
          queue,
          (await all(inspector, queue)).map(({ entryId }) => entryId),
        ),
    })),
  },
  {
    name: "dead letters of all queues are one list",
    caughtBy: ["dead letters are of one queue"],
    broker: inspecting((inspector) => ({
      async deadLetters() {
        const lists = await Promise.all((await inspector.queues()).map((queue) => all(inspector, queue)));
        return { items: lists.flat(), next: null };
      },
    })),
  },
];

async function all(inspector: QueueInspector, queue: string): Promise<readonly DeadLetter[]> {
  return (await inspector.deadLetters(queue, { limit: 1000 })).items;
}
