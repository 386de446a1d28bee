import { createApp, type App, type Middleware, type ScheduleEntry } from "@q/core";
import { FakeClock, MemoryBroker, MemoryStore } from "@q/core/testing";
import { expect, onTestFinished, test } from "vitest";
import type { SchedulerEvent } from "./scheduler-event.ts";
import { Scheduler } from "./scheduler.ts";

const start = Date.UTC(2030, 0, 1, 0, 0, 30);
const minutely: ScheduleEntry<"default"> = { task: "t", cron: "* * * * *" };

interface ProcessOptions {
  readonly wrongByMs?: number;
  readonly dryRun?: boolean;
  readonly middleware?: readonly Middleware[];
}

interface Process {
  readonly app: App;
  readonly broker: MemoryBroker;
  readonly scheduler: Scheduler;
  readonly events: SchedulerEvent[];
}

/** One store with its clock, and cron processes on it, each with a clock of its own that may be wrong. */
function world(schedule: Readonly<Record<string, ScheduleEntry<"default">>> = { minutely }) {
  const clock = new FakeClock({ now: start });
  const store = new MemoryStore({ clock });
  const process = (options: ProcessOptions = {}): Process => {
    const { wrongByMs = 0, dryRun = false, middleware = [] } = options;
    const broker = new MemoryBroker(store);
    const app = createApp({ queues: ["default"], broker, schedule, clock, middleware });
    app.instrumentedTask({ name: "t" }, async () => undefined);
    const events: SchedulerEvent[] = [];
    const wrong = {
      now: () => clock.now() + wrongByMs,
      monotonic: () => clock.monotonic(),
      setTimer: (...timer: Parameters<FakeClock["setTimer"]>) => clock.setTimer(...timer),
    };
    const scheduler = new Scheduler(app, { clock: wrong, dryRun, onEvent: (event) => events.push(event) });
    onTestFinished(async () => {
      const stopping = scheduler.stop();
      await clock.advance("20s");
      await stopping;
      broker.reconnect();
      await app.close();
    });
    return { app, broker, scheduler, events };
  };
  /** What was sent: schedule and time within the day, in order. */
  const sent = async (): Promise<string[]> => {
    const looker = new MemoryBroker(store);
    await looker.open({
      logger: {
        debug() {},
        info() {},
        warn() {},
        error() {},
        child() {
          return this;
        },
      },
    });
    const { items } = await looker.inspector.peek("default", "ready", { limit: 10_000 });
    await looker.close();
    return items.map(({ message }) =>
      "id" in message ? message.id.replace("cron:", "").replace(/2030-01-01T|:00\.000Z/g, "") : "",
    );
  };
  return { clock, store, process, sent };
}

test("ticks are sent in their time, and nothing for the time before the first start", async () => {
  const { clock, process, sent } = world();
  const { scheduler, events } = process();
  await scheduler.start();
  expect(events).toEqual([
    { type: "scheduler.ready", schedules: 1, next: { name: "minutely", at: Date.UTC(2030, 0, 1, 0, 1) } },
  ]);
  await clock.advance("29s");
  expect(await sent()).toEqual([]);
  await clock.advance("2s");
  expect(await sent()).toEqual(["minutely:00:01"]);
  await clock.advance("2m");
  expect(await sent()).toEqual(["minutely:00:01", "minutely:00:02", "minutely:00:03"]);
  expect(events.at(-1)).toMatchObject({ type: "schedule.fired", name: "minutely", task: "t", lateMs: 0 });
});

test("of five processes with clocks of their own, one sends each tick, and in the broker's time", async () => {
  const { clock, process, sent } = world();
  const all = [0, 90_000, -90_000, 3_600_000, -3_600_000].map((wrongByMs) => process({ wrongByMs }));
  await Promise.all(all.map(({ scheduler }) => scheduler.start()));
  await clock.advance("3m");
  expect(await sent()).toEqual(["minutely:00:01", "minutely:00:02", "minutely:00:03"]);
  const fired = all.flatMap(({ events }) => events).filter(({ type }) => type === "schedule.fired");
  expect(fired.map((event) => "lateMs" in event && event.lateMs)).toEqual([0, 0, 0]);
});

test("when the process that sent dies, another one sends the next tick", async () => {
  const { clock, process, sent } = world();
  const [one, other] = [process(), process()];
  await one.scheduler.start();
  await clock.advance("1m");
  await other.scheduler.start();
  one.broker.crash();
  await clock.advance("1m");
  expect(await sent()).toEqual(["minutely:00:01", "minutely:00:02"]);
});

test.each([
  ["one", ["s:03"], 2],
  ["all", ["s:01", "s:02", "s:03"], 0],
  ["skip", [], 3],
] as const)("of the ticks that nobody was there for, missed: %s sends these", async (missed, expected, skipped) => {
  const { clock, process, sent } = world({ s: { task: "t", cron: "0 * * * *", missed } });
  const first = process();
  await first.scheduler.start();
  await first.scheduler.stop();
  await clock.advance("3.5h");
  const second = process();
  await second.scheduler.start();
  await clock.advance(10);
  expect(await sent()).toEqual(expected.map((tick) => `${tick}:00`));
  const told = second.events.find(({ type }) => type === "schedule.skipped");
  expect(told === undefined ? 0 : "count" in told && told.count).toBe(skipped);
  await clock.advance("30m");
  expect((await sent()).at(-1)).toBe("s:04:00");
});

test("a clock that is put back sends nothing twice, one that is put forward follows the policy", async () => {
  const { clock, process, sent } = world({ s: { task: "t", cron: "0 * * * *", missed: "all" } });
  const { scheduler } = process();
  await scheduler.start();
  await clock.advance("2h");
  expect(await sent()).toEqual(["s:01:00", "s:02:00"]);
  // The broker's clock, which here is the machine's.
  clock.set(clock.now() - 7_200_000);
  await clock.advance("1h");
  expect(await sent()).toHaveLength(2);
  clock.set(clock.now() + 4 * 3_600_000);
  await clock.advance("20s");
  expect(await sent()).toEqual(["s:01:00", "s:02:00", "s:03:00", "s:04:00", "s:05:00"]);
});

test("a machine that was asleep sends when it wakes", async () => {
  const { clock, process, sent } = world({ s: { task: "t", cron: "0 * * * *" } });
  const { scheduler } = process();
  await scheduler.start();
  // The wall clock has moved on, timers and the monotonic clock have not.
  clock.set(clock.now() + 3 * 3_600_000);
  await clock.advance("10s");
  expect(await sent()).toEqual(["s:03:00"]);
});

test("a schedule made, changed, paused and removed elsewhere is followed", async () => {
  const { clock, process, sent } = world({});
  const [{ scheduler }, { app }] = [process(), process()];
  await scheduler.start();
  await app.schedules.put("late", minutely);
  await clock.advance("40s");
  expect(await sent()).toEqual(["late:00:01"]);
  await app.schedules.put("late", { task: "t", every: "10s" });
  await clock.advance("40s");
  expect((await sent()).length).toBeGreaterThan(2);
  await app.schedules.pause("late");
  const before = await sent();
  await clock.advance("1m");
  expect(await sent()).toEqual(before);
  await app.schedules.resume("late");
  await clock.advance("10s");
  // By its policy, the newest of those that it missed.
  const again = (await sent()).length - before.length;
  expect(again).toBeGreaterThan(0);
  expect(again).toBeLessThanOrEqual(2);
  await app.schedules.remove("late");
  const last = await sent();
  await clock.advance("1m");
  expect(await sent()).toEqual(last);
});

test("a changed expression goes on from its last tick", async () => {
  const { clock, store, process, sent } = world({ s: { task: "t", cron: "0 * * * *" } });
  const { scheduler } = process();
  await scheduler.start();
  await clock.advance("2h");
  await scheduler.stop();
  // Behind 02:30, which is missed by nobody's fault but has to be made up for.
  await clock.advance("40m");
  const changed = createApp({
    queues: ["default"],
    broker: new MemoryBroker(store),
    schedule: { s: { task: "t", cron: "30 * * * *" } },
    clock,
  });
  changed.instrumentedTask({ name: "t" }, async () => undefined);
  expect(await changed.schedules.list()).toMatchObject([{ lastTick: Date.UTC(2030, 0, 1, 2) }]);
  const next = new Scheduler(changed, { clock });
  await next.start();
  await clock.advance("1s");
  await next.stop();
  await changed.close();
  expect(await sent()).toEqual(["s:01:00", "s:02:00", "s:02:30"]);
});

test("an entry whose task is gone is told of once, and the others go on", async () => {
  const { clock, process, sent } = world();
  const { app, broker, scheduler, events } = process();
  await app.open();
  await broker.schedules.put("orphan", { task: "gone", cron: "* * * * *" });
  await scheduler.start();
  await clock.advance("2m");
  expect(events.filter(({ type }) => type === "schedule.problem")).toMatchObject([
    { name: "orphan", error: { code: "Q2029" } },
  ]);
  expect(await sent()).toEqual(["minutely:00:01", "minutely:00:02"]);
});

test("while the broker is away nothing is lost, and it is told of once", async () => {
  const { clock, process, sent } = world({ s: { ...minutely, missed: "all" } });
  const { broker, scheduler, events } = process();
  await scheduler.start();
  broker.disconnect();
  await clock.advance("3m");
  expect(scheduler.isReachable).toBe(false);
  expect(events.filter(({ type }) => type === "schedule.failed")).toHaveLength(1);
  expect(events.filter(({ type }) => type === "scheduler.unreachable")).toHaveLength(1);
  broker.reconnect();
  await clock.advance("15s");
  expect(scheduler.isReachable).toBe(true);
  expect(await sent()).toEqual(["s:00:01", "s:00:02", "s:00:03"]);
});

test("a tick whose answer got lost is sent once", async () => {
  const { clock, process, sent } = world();
  const { broker, scheduler } = process();
  await scheduler.start();
  broker.disconnect("replies");
  await clock.advance("40s");
  broker.reconnect();
  await clock.advance("20s");
  expect(await sent()).toEqual(["minutely:00:01"]);
});

test("a dry run says what would be sent, and leaves no trace", async () => {
  const { clock, process, sent } = world();
  const { app, scheduler, events } = process({ dryRun: true });
  await scheduler.start();
  await clock.advance("2m");
  expect(events.filter(({ type }) => type === "schedule.due")).toHaveLength(2);
  expect(await sent()).toEqual([]);
  expect(await app.schedules.list()).toMatchObject([{ lastTick: null }]);
});

test("once sends what is due and ends", async () => {
  const { clock, process, sent } = world();
  await process().scheduler.once();
  expect(await sent()).toEqual([]);
  await clock.advance("31s");
  await process().scheduler.once();
  await process().scheduler.once();
  expect(await sent()).toEqual(["minutely:00:01"]);
});

test("a mistake in the app's own schedules keeps it from starting", async () => {
  const { process } = world({ s: { task: "unknown", cron: "* * * * *" } });
  await expect(process().scheduler.start()).rejects.toMatchObject({ code: "Q2029" });
});

test("it can be stopped before it starts, and twice", async () => {
  const { clock, process, sent } = world();
  const { scheduler, events } = process();
  await scheduler.stop();
  await scheduler.stop();
  expect(events).toEqual([]);
  await clock.advance("2m");
  expect(await sent()).toEqual([]);
});

test("stopping it a second time waits for the tick that is being sent, as the first time does", async () => {
  const { clock, process, sent } = world();
  let goOn = (): void => undefined;
  const slow = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const send: Middleware["send"] = async (_context, next) => {
    await slow;
    await next();
  };
  const { scheduler } = process({ middleware: [{ name: "slow", send }] });
  await scheduler.start();
  await clock.advance("31s");
  const stopped: string[] = [];
  const stopping = ["first", "second"].map((which) => scheduler.stop().then(() => stopped.push(which)));
  await clock.advance("1s");
  expect(stopped).toEqual([]);
  goOn();
  await Promise.all(stopping);
  expect(stopped).toEqual(["first", "second"]);
  expect(await sent()).toEqual(["minutely:00:01"]);
});

test("one that is stopped while it starts does not say that it is ready", async () => {
  const { clock, process, sent } = world();
  const { scheduler, events } = process();
  const starting = scheduler.start();
  await scheduler.stop();
  await starting;
  await clock.advance("2m");
  expect(events).toEqual([]);
  expect(await sent()).toEqual([]);
});

test("one that is stopped, and its app closed, while it starts does not open the app again", async () => {
  const { clock, store } = world();
  let goOn = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const validate = async (value: unknown) => {
    await asked;
    return { value };
  };
  const args = { "~standard": { version: 1, vendor: "test", validate } } as const;
  const broker = new MemoryBroker(store);
  const app = createApp({ queues: ["default"], broker, schedule: { minutely }, clock });
  app.instrumentedTask({ name: "t", args }, async () => undefined);
  const scheduler = new Scheduler(app, { clock });
  const starting = scheduler.start();
  await scheduler.stop();
  await app.close();
  goOn();
  await starting;
  expect(broker.connected).toBe(false);
});
