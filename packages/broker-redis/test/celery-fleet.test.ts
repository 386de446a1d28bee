import { createApp } from "@q/core";
import { RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { celeryInstalled, CeleryWorker, PythonService } from "./celery-processes.ts";
import { FixtureProcess } from "./fixture-process.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

/** Celery's `global_keyprefix`, which is ours as well. */
const prefix = "fleet-of-two.";

let server: RedisServer;
let python: PythonService;
let celeryWorkers: readonly CeleryWorker[] = [];
let ourWorkers: readonly FixtureProcess[] = [];

beforeAll(async () => {
  if (!celeryInstalled) return;
  server = await RedisServer.start();
  python = new PythonService(server, { prefix });
  const queues = ["fleet"];
  [celeryWorkers, ourWorkers] = await Promise.all([
    Promise.all([
      CeleryWorker.start(server, { queues, prefix, pool: "solo" }),
      CeleryWorker.start(server, { queues, prefix, pool: "prefork" }),
    ]),
    Promise.all([1, 2].map(() => FixtureProcess.start("fleet-worker", [server.url, prefix]))),
  ]);
});

beforeEach(({ skip }) => {
  skip(!celeryInstalled, "no Celery here: apt-get install python3-celery python3-redis");
});

afterAll(async () => {
  if (!celeryInstalled) return;
  await Promise.all([...celeryWorkers, ...ourWorkers].map((worker) => worker.stop()));
  await python.stop();
  await server.stop();
});

/** The next `count` notes of those who ran a task: who, and its id. */
async function notes(count: number): Promise<readonly (readonly [who: string, id: string])[]> {
  const found: (readonly [string, string])[] = [];
  while (found.length < count) {
    const answer = (await server.command("BLMPOP", 9, 1, "notes", "LEFT", "COUNT", 1000)) as [string, string[]] | null;
    if (answer === null) throw new Error(`waited in vain for note ${found.length + 1} of ${count}`);
    for (const note of answer[1]) {
      const [who = "", id = ""] = note.split(" ");
      found.push([who, id]);
    }
  }
  return found;
}

test("two Python workers and two of ours run each of 2,000 tasks of one queue once, half of them sent from each side", async () => {
  const app = createApp({ broker: createBroker(testSettings(server.url, prefix)), queues: ["fleet"] });
  const [theirs, ours] = await Promise.all([
    python.says(`[note.apply_async(queue="fleet").id for _ in range(1000)]`) as Promise<readonly string[]>,
    app.sendMany(Array.from({ length: 1000 }, () => ({ task: "shared.note", args: {}, options: {} }))),
  ]);
  await app.close();
  const ran = await notes(2000);
  expect(ran.map(([, id]) => id).toSorted()).toEqual([...theirs, ...ours.map(({ id }) => id)].toSorted());
  // All four have taken part.
  expect(new Set(ran.map(([who]) => who)).size).toBe(4);
  // Each of our processes ends without a word, and nobody holds a message any more.
  expect(await Promise.all(ourWorkers.map((worker) => worker.stop()))).toEqual([0, 0]);
  expect(ourWorkers.map(({ output }) => output)).toEqual(["", ""]);
  for (const key of [`${prefix}fleet`, `${prefix}unacked`]) expect(await server.command("EXISTS", key)).toBe(0);
  expect(await server.command("LLEN", "notes")).toBe(0);
}, 60_000);
