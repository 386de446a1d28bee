import type { QueueInspector } from "@q/core/broker";
import type { EventStore } from "../stores/event-store.ts";
import type { Spool } from "../stores/spool.ts";
import type { Evidence } from "./check.ts";

/** What the databases know. */
export async function readEvidence(parts: {
  readonly events: EventStore;
  readonly spool: Spool;
  readonly inspector: QueueInspector;
  readonly queue: string;
}): Promise<Omit<Evidence, "requests" | "heldByKilled" | "oldEvents">> {
  const { events, spool, inspector, queue } = parts;
  const groups = await events.groups(-1);
  return {
    saved: await events.savedEvents(),
    groups,
    deliveries: await events.deliveries(),
    expiries: await events.expiries(),
    spooled: await spool.ids(),
    deadErrors: await deadErrors(inspector, queue),
    leftInQueue: await leftIn(inspector, queue),
  };
}

/** Messages that are not dead: ready, delayed or in flight. */
export async function leftIn(inspector: QueueInspector, queue: string): Promise<number> {
  const { ready, delayed, inFlight } = await inspector.stats(queue);
  return (ready ?? 0) + (delayed ?? 0) + (inFlight ?? 0);
}

async function deadErrors(inspector: QueueInspector, queue: string): Promise<readonly string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await inspector.deadLetters(queue, { limit: 1000, cursor });
    for (const { reason } of page.items) {
      const name = reason.error?.["name"];
      names.push(typeof name === "string" ? name : reason.code);
    }
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return names;
}
