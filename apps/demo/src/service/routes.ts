import { Hono } from "hono";
import { readEvent } from "../events/check-event.ts";
import { EventRefused } from "../events/event-refused.ts";
import { DatabaseUnavailable } from "../stores/database-error.ts";
import type { EventStore } from "../stores/event-store.ts";
import type { Spool } from "../stores/spool.ts";
import { readBody } from "./read-body.ts";

/** What the service works with. */
export interface ServiceParts {
  readonly spool: Spool;
  readonly events: EventStore;
  /** Sends the task that saves an event; resolves when the broker has it. */
  readonly sendSaveEvent: (eventId: string) => Promise<unknown>;
}

/**
 * The HTTP service: takes events, shows groups. It answers as soon as the event is in the spool and the task in the queue.
 * An event that arrives twice is sent twice: whether the first sending got through is not known here, and saving twice does no harm.
 */
export function createService({ spool, events, sendSaveEvent }: ServiceParts): Hono {
  const service = new Hono();

  service.post("/api/events", async (context) => {
    const body = await readBody(context.req.raw);
    const { event_id: id } = readEvent(body);
    await spool.add(id, body, performance.timeOrigin + performance.now());
    await sendSaveEvent(id);
    return context.json({ id });
  });

  service.get("/api/groups", async (context) => context.json({ groups: await events.groups(100) }));

  service.get("/livez", (context) => context.json({ ok: true }));

  service.notFound((context) => {
    return failure(
      404,
      "not_found",
      `nothing here: ${context.req.method} ${context.req.path}; try POST /api/events or GET /api/groups`,
    );
  });

  service.onError((error) => {
    if (error instanceof EventRefused) return refusal(error);
    if (error instanceof DatabaseUnavailable || isBrokerError(error)) {
      return failure(503, "unavailable", "the event could not be stored; send it again in a second", {
        "retry-after": "1",
      });
    }
    process.stderr.write(`${error.stack ?? String(error)}\n`);
    return failure(500, "internal", "the service has a fault");
  });

  return service;
}

function refusal(error: EventRefused): Response {
  return failure(error.status, error.code, error.message, {}, error.path);
}

function failure(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
  path?: string,
): Response {
  return Response.json({ error: { code, message, path } }, { status, headers });
}

/** `Q1xxx` is the broker, see the catalogue of errors. */
function isBrokerError(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^Q1\d{3}$/.test(String(error.code));
}
