import { expect, onTestFinished, test } from "vitest";
import type { ScheduleStore } from "../broker/schedule-store.ts";
import { createApp, type WorkerEvent } from "../index.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { MemoryBroker } from "../testing/memory-broker.ts";
import { MemoryStore } from "../testing/memory-store.ts";

const at = Date.UTC(2030, 0, 1);

/** Runs one tick by a broker that may send a tick twice. */
async function runTick(duplicates: "allow" | "drop", counts: NonNullable<ScheduleStore["counts"]>) {
  const clock = new FakeClock({ now: at });
  const broker = new MemoryBroker(new MemoryStore({ clock, recoveryMs: 1000 }));
  Object.assign(broker.schedules, { counts });
  const app = createApp({
    queues: ["default"],
    broker,
    clock,
    schedule: { sync: { task: "sync", every: "1m", duplicates } },
  });
  app.instrumentedTask({ name: "sync" }, async () => undefined);
  const events: WorkerEvent[] = [];
  const worker = app.createWorker({ onEvent: (event) => events.push(event) });
  onTestFinished(async () => {
    await worker.abort();
    await app.close();
  });
  const [schedule] = app.schedules.declared;
  if (schedule === undefined) throw new Error("expected a schedule");
  await app.schedules.fire(schedule, at - 60_000, clock.now());
  await worker.start();
  await clock.advance(10);
  const stats = await broker.inspector?.stats("default");
  return { tasks: events.filter(({ type }) => type.startsWith("task.")), stats };
}

test("the second message of a tick does not run, and is done with", async () => {
  const asked: unknown[] = [];
  const { tasks, stats } = await runTick("drop", async (tick) => {
    asked.push(tick);
    return false;
  });
  expect(asked).toEqual([{ name: "sync", at: at - 60_000 }]);
  expect(tasks).toMatchObject([{ type: "task.skipped", schedule: "sync", because: "duplicate" }]);
  expect(stats).toMatchObject({ ready: 0, inFlight: 0, dead: 0 });
});

test("the one that counts runs, and so does one of which nobody can be asked", async () => {
  expect((await runTick("drop", async () => true)).tasks.map(({ type }) => type)).toEqual([
    "task.started",
    "task.succeeded",
  ]);
  const { tasks } = await runTick("drop", () => Promise.reject(new Error("no answer")));
  expect(tasks.map(({ type }) => type)).toEqual(["task.started", "task.succeeded"]);
});

test("where it is not wanted nobody is asked", async () => {
  const { tasks } = await runTick("allow", () => expect.fail("was asked"));
  expect(tasks.map(({ type }) => type)).toEqual(["task.started", "task.succeeded"]);
});
