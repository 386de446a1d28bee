import { expect, onTestFinished, test } from "vitest";
import type { Delivery } from "../broker/delivery.ts";
import { encodeMessage } from "../celery-codec.ts";
import type { JsonObject } from "../json.ts";
import { plainCall } from "../message.ts";
import { createApp, silentLogger, retry, type App, type WorkerEvent } from "../index.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { MemoryBroker } from "../testing/memory-broker.ts";
import { MemoryStore } from "../testing/memory-store.ts";
import { OverlapGuard } from "./overlap.ts";

const at = Date.UTC(2030, 0, 1);

/** An app with one schedule whose runs must not overlap, a clock of its own, and as many workers as are asked for. */
function setUp(handler: (app: App) => () => unknown, overlap: "skip" | "allow" = "skip") {
  const clock = new FakeClock({ now: at });
  const store = new MemoryStore({ clock, recoveryMs: 1000 });
  const app = createApp({
    queues: ["default"],
    broker: new MemoryBroker(store),
    clock,
    schedule: { sync: { task: "sync", every: "1m", overlap } },
  });
  app.instrumentedTask({ name: "sync", retry: retry({ on: [RangeError] }), defaultRetryDelay: "1m" }, handler(app));
  const events: WorkerEvent[] = [];
  const types = (): string[] => events.map(({ type }) => type).filter((type) => type.startsWith("task."));
  const work = async () => {
    const broker = new MemoryBroker(store);
    const worker = app.createWorker({ onEvent: (event) => events.push(event) }, broker);
    onTestFinished(async () => {
      await worker.abort();
      await broker.close();
      await app.close();
    });
    await worker.start();
    await clock.advance(0);
    return { worker, broker };
  };
  const [schedule] = app.schedules.declared;
  if (schedule === undefined) throw new Error("expected a schedule");
  let minute = 0;
  /** Sends the next tick, and lets it arrive. */
  const tick = async (): Promise<void> => {
    await app.schedules.fire(schedule, at - 3_600_000 + 60_000 * minute++, clock.now());
    await clock.advance(10);
  };
  return { clock, store, tick, work, types, events };
}

/** Handlers that run until they are let go, one after the other. */
function held() {
  const ends: (() => void)[] = [];
  const handler = () => async (): Promise<void> => {
    await new Promise<void>((resolve) => ends.push(resolve));
  };
  return { handler, ends };
}

test("a tick whose predecessor still runs, in any worker, is skipped, and the next one runs", async () => {
  const { handler, ends } = held();
  const { tick, work, types, clock, events } = setUp(handler);
  await work();
  await work();
  await tick();
  await tick();
  expect(types()).toEqual(["task.started", "task.skipped"]);
  expect(events.find(({ type }) => type === "task.skipped")).toMatchObject({ schedule: "sync" });
  ends[0]?.();
  await clock.advance(10);
  await tick();
  expect(types()).toEqual(["task.started", "task.skipped", "task.succeeded", "task.started"]);
  // Longer than any lease: it is renewed.
  await clock.advance("5m");
  await tick();
  expect(types().at(-1)).toBe("task.skipped");
});

test("without it, ticks run side by side", async () => {
  const { handler } = held();
  const { tick, work, types } = setUp(handler, "allow");
  await work();
  await tick();
  await tick();
  expect(types()).toEqual(["task.started", "task.started"]);
});

test("while it waits for its retry a run has ended, and the retry is never skipped", async () => {
  const ends: (() => void)[] = [];
  let runs = 0;
  const { tick, work, types, clock } = setUp(() => async () => {
    runs += 1;
    if (runs === 1) throw new RangeError("again");
    await new Promise<void>((resolve) => ends.push(resolve));
  });
  await work();
  await tick();
  await tick();
  expect(types()).toEqual(["task.started", "task.retried", "task.started"]);
  await clock.advance("2m");
  // The retry has come, and waits for the run of the later tick.
  expect(types().slice(3)).toContain("task.postponed");
  expect(runs).toBe(2);
  ends[0]?.();
  await clock.advance("1m");
  expect(runs).toBe(3);
});

test("a run whose worker died is not skipped for the sake of its own lease", async () => {
  const { handler, ends } = held();
  const { tick, work, types, clock } = setUp(handler);
  const first = await work();
  await tick();
  first.broker.crash();
  await work();
  await clock.advance("2s");
  // Back, and not run: its dead worker's lease is not over.
  expect(types()).toEqual(["task.started"]);
  await tick();
  expect(types()).toEqual(["task.started", "task.skipped"]);
  await clock.advance("40s");
  expect(types()).toEqual(["task.started", "task.skipped", "task.started"]);
  ends[1]?.();
  await clock.advance(10);
  expect(types().at(-1)).toBe("task.succeeded");
});

test("a run that has begun and is put back is not skipped afterwards, though it has no crashes any more", async () => {
  const clock = new FakeClock({ now: at });
  const leases = { acquire: async () => null };
  const signal = new AbortController().signal;
  const guard = new OverlapGuard({ leases, clock, logger: silentLogger, signal });
  const message = { ...plainCall, id: "m", rootId: "m", task: "sync", queue: "default" };
  const admit = async (crashes: number, headers: JsonObject) => {
    const delivery = { message: { ...encodeMessage(message), headers }, crashes } as unknown as Delivery;
    const admission = guard.admit("sync", delivery, message);
    await clock.advance("1m");
    const found = await admission;
    return found.kind === "settle" ? found.outcome : undefined;
  };
  const headers = { q_schedule: "sync" };
  expect(await admit(0, headers)).toEqual({ kind: "ack" });
  const outcome = await admit(1, headers);
  expect(outcome).toMatchObject({ kind: "requeue", headers });
  expect(await admit(0, outcome?.kind === "requeue" ? (outcome.headers ?? {}) : {})).toEqual(outcome);
});

test("what a stopping worker hands back is run by the next one", async () => {
  const { handler, ends } = held();
  const { tick, work, types, clock } = setUp(handler);
  const { worker } = await work();
  await tick();
  const stopping = worker.abort();
  await clock.advance("10s");
  await stopping;
  await work();
  await clock.advance(10);
  expect(types()).toEqual(["task.started", "task.released", "task.started"]);
  ends[1]?.();
});
