import type { EventStore } from "../stores/event-store.ts";
import { liveProject } from "./request-mix.ts";

const monthMs = 31 * 86_400_000;

/** Saves events of last month, as an earlier run would have left them, for the schedule to expire. */
export async function saveOldEvents(events: EventStore, count: number): Promise<void> {
  const row = {
    project: liveProject,
    fingerprint: "0000000000000000",
    title: "Error: of last month",
    culprit: "an older version",
    client: "none",
    level: "error",
    payload: "{}",
    acceptedAt: Date.now() - monthMs,
  };
  const delivery = { messageId: "last-month", retries: 0, crashes: 0 };
  for (let number = 0; number < count; number += 1) await events.save({ ...row, eventId: `old-${number}` }, delivery);
}
