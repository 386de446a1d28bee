import type { App } from "@q/core";
import { isInstalled, RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { celeryInstalled, CeleryWorker, PythonService, type CeleryPlace } from "./celery-processes.ts";
import { FleetWorker, type FleetBroker } from "./fleet-worker.ts";

/** One broker, which both sides use. */
export interface FleetSite {
  readonly celery: Omit<CeleryPlace, "notes">;
  /** For our workers. */
  readonly ours: FleetBroker;
  /** With the one queue `fleet`, not yet open. */
  createApp(): App;
  /** How many messages the broker still holds for either side. */
  held(): Promise<number>;
  stop(): Promise<void>;
}

export interface MixedFleetOptions {
  /** Without which the broker cannot be started. */
  readonly programs: readonly string[];
  /** @param notes a Redis server that stops by itself, which may be the broker */
  start(notes: RedisServer): Promise<FleetSite>;
}

/** Makes a test of workers in Python and workers of ours that share one queue. */
export function testMixedFleet({ programs, start }: MixedFleetOptions): void {
  const missing = programs.filter((program) => !isInstalled(program));
  let notes: RedisServer;
  let site: FleetSite;
  let python: PythonService;
  let celeryWorkers: readonly CeleryWorker[] = [];
  let ourWorkers: readonly FleetWorker[] = [];

  beforeAll(async () => {
    if (!celeryInstalled || missing.length > 0) return;
    notes = await RedisServer.start();
    site = await start(notes);
    const place = { ...site.celery, notes: notes.url };
    python = new PythonService(place);
    const queues = ["fleet"];
    [celeryWorkers, ourWorkers] = await Promise.all([
      Promise.all([
        CeleryWorker.start(place, { queues, pool: "solo" }),
        CeleryWorker.start(place, { queues, pool: "prefork" }),
      ]),
      Promise.all([1, 2].map(() => FleetWorker.start(site.ours, notes.url))),
    ]);
  });

  beforeEach(({ skip }) => {
    skip(!celeryInstalled, "no Celery here: apt-get install python3-celery python3-redis");
    skip(missing.length > 0, `not here: ${missing.join(", ")}`);
  });

  afterAll(async () => {
    if (!celeryInstalled || missing.length > 0) return;
    await Promise.all([...celeryWorkers, ...ourWorkers].map((worker) => worker.stop()));
    await python.stop();
    await site.stop();
    await notes.stop();
  });

  /** The next `count` notes of those who ran a task: who, and its id. */
  async function nextNotes(count: number): Promise<readonly (readonly [who: string, id: string])[]> {
    const found: (readonly [string, string])[] = [];
    while (found.length < count) {
      const answer = (await notes.command("BLMPOP", 9, 1, "notes", "LEFT", "COUNT", 1000)) as [string, string[]] | null;
      if (answer === null) throw new Error(`waited in vain for note ${found.length + 1} of ${count}`);
      for (const note of answer[1]) {
        const [who = "", id = ""] = note.split(" ");
        found.push([who, id]);
      }
    }
    return found;
  }

  test("two Python workers and two of ours run each of 2,000 tasks of one queue once, half of them sent from each side", async () => {
    const app = site.createApp();
    const [theirs, ours] = await Promise.all([
      python.says(`[note.apply_async(queue="fleet").id for _ in range(1000)]`) as Promise<readonly string[]>,
      app.sendMany(Array.from({ length: 1000 }, () => ({ task: "shared.note", args: {}, options: {} }))),
    ]);
    await app.close();
    const ran = await nextNotes(2000);
    expect(ran.map(([, id]) => id).toSorted()).toEqual([...theirs, ...ours.map(({ id }) => id)].toSorted());
    // All four have taken part.
    expect(new Set(ran.map(([who]) => who)).size).toBe(4);
    // Each of our processes ends without a word, and nobody holds a message any more.
    expect(await Promise.all(ourWorkers.map((worker) => worker.stop()))).toEqual([0, 0]);
    expect(ourWorkers.map(({ output }) => output)).toEqual(["", ""]);
    await expect.poll(() => site.held(), { timeout: 15_000 }).toBe(0);
    expect(await notes.command("LLEN", "notes")).toBe(0);
  }, 60_000);
}
