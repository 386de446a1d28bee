import { celeryInstalled, CeleryWorker, Inbox, PythonService } from "@q/celery-kit";
import { createApp, type App } from "@q/core";
import { isInstalled, RedisServer, type RabbitAdmin } from "@q/test-servers";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { amqp, type AmqpQueueOptions } from "../src/index.ts";
import { newVhost } from "./shared-node.ts";

const vhost = "celery-queues";
const installed = celeryInstalled && ["rabbitmq-server", "redis-server"].every(isInstalled);
let url: string;
let admin: RabbitAdmin;
let notes: RedisServer;
let python: PythonService;

beforeAll(async () => {
  if (!installed) return;
  ({ url, admin } = await newVhost(vhost));
  notes = await RedisServer.start();
  python = new PythonService({ broker: url, notes: notes.url });
});

beforeEach(({ skip }) => {
  skip(!installed, "not all here: apt-get install python3-celery python3-redis rabbitmq-server redis-server");
});

afterAll(async () => {
  if (!installed) return;
  await python.stop();
  await notes.stop();
});

function appWith(queue: string, options?: AmqpQueueOptions): App {
  const app = createApp({
    broker: amqp({ url, ...(options === undefined ? {} : { queues: { [queue]: options } }) }),
    queues: [queue],
  });
  onTestFinished(() => app.close());
  return app;
}

/** What a queue was declared with: its type, whether it survives a restart, and its arguments, as rabbitmqctl prints them. */
async function declaration(queue: string): Promise<string | undefined> {
  const rows = (await admin.command("list_queues", "-p", vhost, "name", "type", "durable", "arguments")).split("\n");
  return rows.find((row) => row.startsWith(`${queue}\t`))?.replace(`${queue}\t`, "");
}

/** How Celery declares a queue of which it was told the name. */
const asCelery = "classic\ttrue\t[]";

test.each<readonly [string, AmqpQueueOptions | undefined]>([
  ["celery_was_first", undefined],
  ["celery_was_first_and_shares", { shared: "celery" }],
])("a queue that Celery has declared is used as it is: %s", async (queue, options) => {
  const before = await python.sends(`note.apply_async(queue="${queue}")`);
  expect(await declaration(queue)).toBe(asCelery);
  const ran = new Inbox<true>();
  const app = appWith(queue, options);
  app.instrumentedTask({ name: "shared.note" }, (_args, { id }) => ran.put(id, true));
  const worker = app.createWorker();
  await worker.start();
  await ran.take(before);
  await ran.take(await python.sends(`note.apply_async(queue="${queue}")`));
  await ran.take((await app.sendTask("shared.note", {}, { countdown: "1s" })).id);
  await worker.stop();
  expect(await declaration(queue)).toBe(asCelery);
});

test("a queue that we have declared as shared is one that Celery's producers and workers take for theirs", async () => {
  const queue = "q_was_first";
  const app = appWith(queue, { shared: "celery" });
  const { id } = await app.sendTask("shared.note", {});
  expect(await declaration(queue)).toBe(asCelery);
  const theirs = await python.sends(`note.apply_async(queue="${queue}")`);
  const worker = await CeleryWorker.start({ broker: url, notes: notes.url }, { queues: [queue] });
  onTestFinished(() => worker.stop());
  const ran: string[] = [];
  while (ran.length < 2) {
    const note = (await notes.command("BLPOP", "notes", 9)) as [key: string, note: string] | null;
    if (note === null) throw new Error(`waited in vain; the worker said:\n${worker.log}`);
    ran.push(note[1].split(" ")[1] ?? "");
  }
  expect(ran).toEqual([id, theirs]);
});

test("a queue that we have declared for ourselves is one that Celery refuses", async () => {
  const queue = "q_alone";
  await appWith(queue).sendTask("shared.note", {});
  await expect(python.sends(`note.apply_async(queue="${queue}")`)).rejects.toThrow(
    /PreconditionFailed.*inequivalent arg/,
  );
});
