import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { maxEventBytes } from "../events/check-event.ts";
import { EventStore } from "../stores/event-store.ts";
import { Spool } from "../stores/spool.ts";
import { createService } from "./routes.ts";

const id = "fc6d8c0c43fc4630ad850ee518f1b9d0";
const event = { event_id: id, timestamp: 1, platform: "node", project: "shop", message: "disk full" };

let folder: string;
let spool: Spool;
let events: EventStore;
let sent: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "q-demo-"));
  spool = new Spool(join(folder, "spool.db"));
  events = new EventStore(join(folder, "events.db"));
  await events.create(["shop"]);
  sent = [];
});

afterEach(async () => {
  await spool.close();
  await events.close();
  await rm(folder, { recursive: true });
});

function post(
  body: string,
  sendSaveEvent = async (eventId: string): Promise<unknown> => sent.push(eventId),
): Promise<Response> {
  const service = createService({ spool, events, sendSaveEvent });
  return Promise.resolve(service.request("/api/events", { method: "POST", body }));
}

test("an event is answered with its id, spooled as it came, and sent by its id", async () => {
  const body = JSON.stringify({ ...event, event_id: id.toUpperCase() });
  const answer = await post(body);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ id });
  expect((await spool.read(id))?.payload).toBe(body);
  expect(sent).toEqual([id]);
});

test("an event that comes twice waits once and is sent twice", async () => {
  await post(JSON.stringify(event));
  await post(JSON.stringify(event));
  expect(await spool.ids()).toEqual([id]);
  expect(sent).toEqual([id, id]);
});

test("a refused event leaves nothing behind, and the answer names the field", async () => {
  const answer = await post(JSON.stringify({ ...event, platform: 5 }));
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({
    error: { code: "invalid_field", message: "platform: expected text, got a number", path: "platform" },
  });
  expect(await spool.ids()).toEqual([]);
  expect(sent).toEqual([]);
});

test("a body beyond the limit is refused", async () => {
  const answer = await post(JSON.stringify({ ...event, extra: "x".repeat(maxEventBytes) }));
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ error: { code: "too_large" } });
});

test("when the broker does not take the task, the client is told to come again", async () => {
  const answer = await post(JSON.stringify(event), () =>
    Promise.reject(Object.assign(new Error("no broker"), { code: "Q1001" })),
  );
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(await answer.json()).toMatchObject({ error: { code: "unavailable" } });
});

test("groups are shown, the most frequent first", async () => {
  const row = { project: "shop", culprit: "", client: "", level: "error", payload: "{}", acceptedAt: 0 };
  const facts = { messageId: "m", retries: 0, crashes: 0 };
  await events.save({ ...row, eventId: "1", fingerprint: "rare", title: "rare" }, facts);
  await events.save({ ...row, eventId: "2", fingerprint: "often", title: "often" }, facts);
  await events.save({ ...row, eventId: "3", fingerprint: "often", title: "often" }, facts);
  const answer = await createService({ spool, events, sendSaveEvent: async () => {} }).request("/api/groups");
  const { groups } = (await answer.json()) as { groups: { title: string; count: number }[] };
  expect(groups.map(({ title, count }) => [title, count])).toEqual([
    ["often", 2],
    ["rare", 1],
  ]);
});

test("an unknown path says what there is", async () => {
  const answer = await createService({ spool, events, sendSaveEvent: async () => {} }).request("/events");
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ error: { code: "not_found" } });
});
