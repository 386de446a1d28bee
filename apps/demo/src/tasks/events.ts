import { retry } from "@q/core";
import type { Task } from "@q/core";
import { app } from "../../q.config.ts";
import type { ErrorEvent } from "../events/error-event.ts";
import { fingerprintOf } from "../events/fingerprint.ts";
import { summaryOf } from "../events/summary.ts";
import { eventsFile, spoolFile } from "../folder.ts";
import { DatabaseUnavailable, RowMissing, SchemaError } from "../stores/database-error.ts";
import { EventStore } from "../stores/event-store.ts";
import type { EventRow } from "../stores/event-store.ts";
import { Spool } from "../stores/spool.ts";
import type { SpooledEvent } from "../stores/spool.ts";

const spool = new Spool(spoolFile);
const events = new EventStore(eventsFile);

/** Moves an event from the spool into the event database and counts it in its group. */
export const saveEvent: Task<{ eventId: string }> = app.instrumentedTask(
  {
    name: "events.save_event",
    queue: "important_queue",
    // With the backoff below an event outlives a database that is away for five seconds.
    maxRetries: 5,
    defaultRetryDelay: "250ms",
    retry: retry({
      on: [DatabaseUnavailable],
      exclude: [SchemaError],
      ignore: [RowMissing],
      backoff: { type: "exponential", factor: 2, max: "2s", jitter: false },
    }),
  },
  async ({ eventId }: { eventId: string }, ctx) => {
    const delivery = { messageId: ctx.id, retries: ctx.retries, crashes: ctx.crashes };
    const spooled = await spool.read(eventId);
    if (spooled === undefined) {
      // A message can come again after its work is done, when its worker died before it could say so.
      if (await events.sawAgain(eventId, delivery)) return;
      throw new RowMissing(`no event ${eventId} waits to be saved`);
    }
    try {
      await events.save(rowOf(eventId, spooled), delivery);
    } catch (error) {
      if (error instanceof RowMissing) await spool.remove(eventId);
      throw error;
    }
    // Only now: until the event is saved the spool holds the only copy.
    await spool.remove(eventId);
  },
);

function rowOf(eventId: string, { payload, acceptedAt }: SpooledEvent): EventRow {
  // True: the service has checked it before it went into the spool.
  const event = JSON.parse(payload) as ErrorEvent;
  return {
    eventId,
    project: event.project,
    fingerprint: fingerprintOf(event),
    ...summaryOf(event),
    level: event.level ?? "error",
    payload,
    acceptedAt,
  };
}
