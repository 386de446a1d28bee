import { serve } from "@hono/node-server";
import type { AddressInfo } from "node:net";
import { app } from "../../q.config.ts";
import { eventsFile, spoolFile } from "../folder.ts";
import { EventStore } from "../stores/event-store.ts";
import { Spool } from "../stores/spool.ts";
import { saveEvent } from "../tasks/events.ts";
import { createService } from "./routes.ts";

const spool = new Spool(spoolFile);
const events = new EventStore(eventsFile);
const service = createService({ spool, events, sendSaveEvent: (eventId) => saveEvent.delay({ eventId }) });

await app.open();
const server = serve(
  { fetch: service.fetch, hostname: "127.0.0.1", port: Number(process.env["PORT"] ?? 0) },
  ({ port }: AddressInfo) => {
    const url = `http://127.0.0.1:${port}`;
    process.stdout.write(`listening on ${url}\n`);
    process.send?.({ url });
  },
);

async function stop(): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Clients keep idle connections open; without this the server would wait for them.
  if ("closeIdleConnections" in server) server.closeIdleConnections();
  await closed;
  await app.close();
  await spool.close();
  await events.close();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());
