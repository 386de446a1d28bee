import { celeryInstalled, CeleryWorker, Inbox, PythonService } from "@q/celery-kit";
import { createApp, type App } from "@q/core";
import { RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createBroker, testSettings } from "./redis-harness.ts";
import { lintEnvelopes } from "./wire/lint.ts";

let server: RedisServer;
let python: PythonService;
let celery: CeleryWorker;

beforeAll(async () => {
  if (!celeryInstalled) return;
  server = await RedisServer.start();
  const place = { broker: server.url, notes: server.url };
  python = new PythonService(place);
  celery = await CeleryWorker.start(place, { queues: ["nothing"] });
});

beforeEach(({ skip }) => {
  skip(!celeryInstalled, "no Celery here: apt-get install python3-celery python3-redis");
});

afterAll(async () => {
  if (!celeryInstalled) return;
  await python.stop();
  await celery.stop();
  await server.stop();
});

function appWith(queue: string): App {
  return createApp({
    broker: createBroker({ ...testSettings(server.url, ""), leaseMs: 30_000 }),
    queues: [{ name: queue, priorities: true }],
  });
}

/**
 * Sends `shared.note` from here, 9 the most urgent, and from Python, 0 the most urgent, all before anybody takes one.
 * @returns the ids in the order in which they are to run: by the list of their priority, and in each as they were sent
 */
async function sendFromBothSides(app: App, queue: string): Promise<readonly string[]> {
  const lists: string[][] = [[], [], [], []];
  const [ours, theirs] = [
    [0, 9, 5, 3, 6, 1, 7, 2, 8, 4],
    [5, 0, 9, 3, 6, 8, 1],
  ];
  for (const priority of ours) {
    const { id } = await app.sendTask("shared.note", {}, { queue, priority });
    lists[Math.floor((9 - priority) / 3)]?.push(id);
  }
  for (const priority of theirs) {
    const id = await python.sends(`note.apply_async(queue="${queue}", priority=${priority})`);
    lists[Math.floor(priority / 3)]?.push(id);
  }
  const unmarked = await python.sends(`note.apply_async(queue="${queue}")`);
  lists[0]?.push(unmarked);
  return lists.flat();
}

test("a Python worker takes the most urgent first: by our priorities what we sent, by Celery's what Python sent", async () => {
  const queue = "urgent_in_python";
  const app = appWith(queue);
  const order = await sendFromBothSides(app, queue);
  await app.close();
  await python.says(`app.control.add_consumer("${queue}", reply=True, limit=1, timeout=9)`);
  const ran: string[] = [];
  while (ran.length < order.length) {
    const note = (await server.command("BLPOP", "notes", 9)) as [key: string, note: string] | null;
    if (note === null) throw new Error(`waited in vain for note ${ran.length + 1}; the worker said:\n${celery.log}`);
    ran.push(note[1].split(" ")[1] ?? "");
  }
  expect(ran).toEqual(order);
});

test("our worker takes the most urgent first: by our priorities what we sent, by Celery's what Python sent", async () => {
  const queue = "urgent_here";
  const app = appWith(queue);
  const order = await sendFromBothSides(app, queue);
  const ran: string[] = [];
  const all = new Inbox<true>();
  app.instrumentedTask({ name: "shared.note" }, (_args, { id }) => {
    if (ran.push(id) === order.length) all.put("ran", true);
  });
  const worker = app.createWorker({ concurrency: 1 });
  await worker.start();
  await all.take("ran");
  await worker.stop();
  await app.close();
  expect(ran).toEqual(order);
});

test("a message of Python's keeps its priority through a retry here", async () => {
  const queue = "urgent_again";
  const app = appWith(queue);
  const retried = new Inbox<true>();
  const worker = app.createWorker({
    onEvent: (event) => {
      if (event.type === "task.retried") retried.put(event.id, true);
    },
  });
  app.instrumentedTask({ name: "shared.note" }, (_args, ctx) => {
    // It takes nothing more, and so what it puts back stays where it is.
    void worker.stop();
    throw ctx.retry({ delay: "0ms" });
  });
  const id = await python.sends(`note.apply_async(queue="${queue}", priority=7)`);
  await worker.start();
  await retried.take(id);
  await worker.stop();
  await app.close();
  const texts = (await server.command("LRANGE", `${queue}\u0006\u00166`, 0, -1)) as string[];
  expect(texts.map((text) => (JSON.parse(text) as { properties: object }).properties)).toMatchObject([{ priority: 7 }]);
  expect(lintEnvelopes(texts, 6)).toEqual([]);
});
