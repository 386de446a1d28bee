import { retry } from "@q/core";
import type { Task } from "@q/core";
import { app } from "../../q.config.ts";
import { eventsFile } from "../folder.ts";
import { DatabaseUnavailable } from "../stores/database-error.ts";
import { EventStore } from "../stores/event-store.ts";

/** How long events are kept. */
const keptMs = 30 * 86_400_000;
/** Few at a time: a long transaction would keep the events that come in from being saved. */
const mostAtOnce = 25;

const events = new EventStore(eventsFile);

/** Deletes events that are too old, and takes them out of their groups. Sent by the schedule `expire-events`. */
export const expireEvents: Task = app.instrumentedTask(
  {
    name: "events.expire",
    maxRetries: 5,
    defaultRetryDelay: "250ms",
    retry: retry({ on: [DatabaseUnavailable] }),
  },
  async (_args: object, ctx) => {
    const delivery = { messageId: ctx.id, retries: ctx.retries, crashes: ctx.crashes };
    await events.expire({ acceptedBefore: Date.now() - keptMs, most: mostAtOnce }, delivery);
  },
);
