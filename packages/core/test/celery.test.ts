import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { decodeMessage, encodeMessage } from "../src/celery-codec.ts";
import { plainCall, type Message } from "../src/message.ts";
import { CeleryWorker, celeryInstalled, queueToPython } from "./celery-worker.ts";

let worker: CeleryWorker;

beforeAll(async () => {
  if (celeryInstalled) worker = await CeleryWorker.start();
});

beforeEach(({ skip }) => {
  skip(!celeryInstalled, "no Celery here: apt-get install python3-celery");
});

afterAll(async () => {
  if (celeryInstalled) await worker.stop();
});

function call(task: string, fields: Partial<Message> = {}): Message {
  const id = randomUUID();
  return { ...plainCall, id, rootId: id, queue: queueToPython, task, ...fields };
}

test("a Celery worker runs a task with the named arguments that we sent", async () => {
  const kwargs = {
    eventId: "e1",
    größe: "日本語 🙂",
    nested: { list: [1, 2.5, true, null, ""] },
    'quote"': "\\ \n \u0000 \u2028",
  };
  const message = call("interop.report", { kwargs });
  await worker.put(encodeMessage(message));
  expect(await worker.runOf(message.id)).toMatchObject({
    args: [],
    kwargs,
    retries: 0,
  });
});

test("a Celery worker runs a task with the positional arguments that we sent", async () => {
  const message = call("interop.report", { args: [1, "two", { three: [3] }] });
  await worker.put(encodeMessage(message));
  expect(await worker.runOf(message.id)).toMatchObject({ args: [1, "two", { three: [3] }], kwargs: {} });
});

test("retries, ids of the tree, time limits and headers of ours reach a Celery task", async () => {
  const message = call("interop.report", {
    retries: 2,
    rootId: "root-1",
    parentId: "parent-1",
    timeLimitMs: 30_000,
    softTimeLimitMs: 20_000,
    headers: { tenant: "t1" },
    sentAtMs: Date.now(),
    maxRetries: 7,
  });
  await worker.put(encodeMessage(message));
  const expected = { retries: 2, rootId: "root-1", parentId: "parent-1", timeLimit: [30, 20], tenant: "t1" };
  expect(await worker.runOf(message.id)).toMatchObject(expected);
});

test("a Celery worker does not run a task before the eta that we sent", async () => {
  const etaMs = Date.now() + 1500;
  const message = call("interop.report", { etaMs });
  await worker.put(encodeMessage(message));
  expect((await worker.runOf(message.id)).atMs).toBeGreaterThanOrEqual(etaMs);
});

test("a Celery worker does not run a task that we sent and that expired", async () => {
  const expired = call("interop.report", { expiresMs: Date.now() - 1000 });
  const next = call("interop.report");
  await worker.put(encodeMessage(expired));
  await worker.put(encodeMessage(next));
  await worker.runOf(next.id);
  expect(await worker.hasRun(expired.id)).toBe(false);
});

test("a retry that a Celery worker sends is the same call with one retry more", async () => {
  const message = call("interop.retry_elsewhere", { kwargs: { eventId: "e1" }, retries: 1 });
  await worker.put(encodeMessage(message));
  const { id, retries, args, kwargs } = decodeMessage(await worker.sent("interop.retry_elsewhere"));
  expect({ id, retries, args, kwargs }).toEqual({ id: message.id, retries: 2, args: [], kwargs: { eventId: "e1" } });
});

test("what a Celery task sends is decoded as the call that it is", async () => {
  const before = Date.now();
  const parent = call("interop.send_back", { args: [1], kwargs: { name: "héllo ☃" } });
  await worker.put(encodeMessage(parent));
  const message = decodeMessage(await worker.sent("events.save_event"));
  expect(message).toMatchObject({
    task: "events.save_event",
    args: [1],
    kwargs: { name: "héllo ☃" },
    priority: 3,
    retries: 0,
    timeLimitMs: 30_000,
    rootId: parent.id,
    parentId: parent.id,
  });
  expect(message.etaMs).toBeGreaterThanOrEqual(before + 60_000);
});
