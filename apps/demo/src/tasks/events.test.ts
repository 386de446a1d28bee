import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testApp } from "@q/core/testing";
import type { TestApp } from "@q/core/testing";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";

// The stores of the task are named when its module is loaded.
const folder = mkdtempSync(join(tmpdir(), "q-demo-"));
vi.stubEnv("DEMO_FOLDER", folder);
const { app } = await import("../../q.config.ts");
const { saveEvent } = await import("./events.ts");
const { eventsFile, spoolFile } = await import("../folder.ts");
const { EventStore } = await import("../stores/event-store.ts");
const { Spool } = await import("../stores/spool.ts");

const spool = new Spool(spoolFile);
const events = new EventStore(eventsFile);
let t: TestApp;
let eventId: string;

beforeAll(async () => {
  await events.create(["shop"]);
  t = testApp(app);
});

beforeEach(() => {
  eventId = crypto.randomUUID().replaceAll("-", "");
});

afterAll(async () => {
  await t.close();
  await spool.close();
  await events.close();
  rmSync(folder, { recursive: true });
});

function payload(more: object = {}): string {
  return JSON.stringify({
    event_id: eventId,
    timestamp: 1,
    platform: "node",
    project: "shop",
    message: "disk full",
    ...more,
  });
}

async function isSaved(): Promise<boolean> {
  return (await events.savedEvents()).some((event) => event.eventId === eventId);
}

async function countOfGroup(): Promise<number> {
  return (await events.groups(-1))[0]?.count ?? 0;
}

function outcomes(): readonly string[] {
  return t.events
    .filter((event) => event.type.startsWith("task.") && event.type !== "task.started")
    .map(({ type }) => type);
}

test("an event goes from the spool into its group", async () => {
  await spool.add(eventId, payload(), 1);
  await saveEvent.delay({ eventId });
  await t.drain();
  expect(await isSaved()).toBe(true);
  expect(await spool.read(eventId)).toBeUndefined();
});

test("an event whose task is sent twice is counted once", async () => {
  const before = await countOfGroup();
  await spool.add(eventId, payload(), 1);
  await saveEvent.delay({ eventId });
  await saveEvent.delay({ eventId });
  await t.drain();
  expect(await countOfGroup()).toBe(before + 1);
  expect(outcomes().slice(-2)).toEqual(["task.succeeded", "task.succeeded"]);
});

test("an event that is spooled again after it was saved is not counted again", async () => {
  const before = await countOfGroup();
  for (let time = 0; time < 2; time++) {
    await spool.add(eventId, payload(), 1);
    await saveEvent.delay({ eventId });
    await t.drain();
  }
  expect(await countOfGroup()).toBe(before + 1);
  expect(await spool.read(eventId)).toBeUndefined();
});

test("while the database is locked the task is retried, and then it saves", async () => {
  await spool.add(eventId, payload(), 1);
  const release = await events.takeWriteLock();
  await saveEvent.delay({ eventId });
  await t.drain();
  expect(outcomes().at(-1)).toBe("task.retried");
  expect(await isSaved()).toBe(false);
  release();
  await t.advance("1s");
  expect(await isSaved()).toBe(true);
});

test("an event of a deleted project is ignored, and its body is not kept", async () => {
  await spool.add(eventId, payload({ project: "old-shop" }), 1);
  await saveEvent.delay({ eventId });
  await t.drain();
  expect(outcomes().at(-1)).toBe("task.ignored");
  expect(await spool.read(eventId)).toBeUndefined();
});

test("an event that is neither waiting nor saved is ignored", async () => {
  await saveEvent.delay({ eventId });
  await t.drain();
  expect(outcomes().at(-1)).toBe("task.ignored");
});

test("an event that meets the program's bug is dead-lettered at once, and its body is kept", async () => {
  await spool.add(eventId, payload({ request: { headers: [["User-Agent", "curl"]] } }), 1);
  await saveEvent.delay({ eventId });
  await t.drain();
  const { items } = await t.inspector.deadLetters("important_queue", { limit: 1 });
  expect(items[0]?.reason).toMatchObject({ code: "failed", error: { name: "TypeError" } });
  expect(await spool.read(eventId)).toBeDefined();
});

test("arguments of a newer version are no reason to fail", async () => {
  await spool.add(eventId, payload(), 1);
  await app.sendTask("events.save_event", { eventId, region: "eu" });
  await t.drain();
  expect(await isSaved()).toBe(true);
});
