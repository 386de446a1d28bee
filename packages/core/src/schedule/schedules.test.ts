import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { createApp, type App } from "../app.ts";
import type { AppOptions } from "../app-options.ts";
import type { Broker } from "../broker/broker.ts";
import { memoryBroker, type MemoryBroker } from "../testing/memory-broker.ts";
import { MemoryStore } from "../testing/memory-store.ts";
import type { ScheduleEntry } from "./schedule-entry.ts";

const at = Date.UTC(2026, 0, 1);
const nightly: ScheduleEntry = { task: "reports.send", cron: "0 2 * * *", args: { to: "ops" } };

function appWith(options: Partial<AppOptions> = {}, broker: Broker = memoryBroker()): App {
  const app = createApp({ broker, queues: ["default", "slow"], ...options });
  app.instrumentedTask(
    { name: "reports.send", queue: "slow", args: z.object({ to: z.string() }) },
    async () => undefined,
  );
  onTestFinished(() => app.close());
  return app;
}

/** A broker with nothing that can be left out. */
function bareBroker(): Broker {
  const broker = memoryBroker();
  return {
    name: "bare",
    address: "bare:",
    connected: true,
    open: (context) => broker.open(context),
    declare: (queues) => broker.declare(queues),
    publish: (batch) => broker.publish(batch),
    consume: (queues, options, onDelivery) => broker.consume(queues, options, onDelivery),
    close: () => broker.close(),
  };
}

async function messages(broker: MemoryBroker, queue = "slow") {
  const { items } = await broker.inspector.peek(queue, "ready", { limit: 10 });
  return items.map(({ message }) => message);
}

test("a tick is sent as a call of its task, with an id of its own, once by all processes", async () => {
  const store = new MemoryStore();
  const brokers = [memoryBroker({ store }), memoryBroker({ store })] as const;
  const options = { schedule: { nightly: { ...nightly, options: { priority: 3, expires: "1h" } } } } as const;
  const [one, other] = brokers.map((broker) => appWith(options, broker));
  const [schedule] = one?.schedules.declared ?? [];
  if (one === undefined || other === undefined || schedule === undefined) throw new Error("expected two apps");
  const nowMs = at + 250;
  expect(await one.schedules.fire(schedule, at, nowMs)).toBe("fired");
  expect(await other.schedules.fire(schedule, at, nowMs)).toBe("already");
  expect(await messages(brokers[0])).toMatchObject([
    {
      id: "cron:nightly:2026-01-01T00:00:00.000Z",
      priority: 3,
      headers: {
        task: "reports.send",
        q_schedule: "nightly",
        q_sent_at: nowMs,
        expires: "2026-01-01T01:00:00.250000+00:00",
      },
    },
  ]);
});

test("a tick that is skipped leaves no message", async () => {
  const broker = memoryBroker();
  const app = appWith({ schedule: { nightly } }, broker);
  const [schedule] = app.schedules.declared;
  if (schedule === undefined) throw new Error("expected a schedule");
  expect(await app.schedules.skip(schedule, at)).toBe("fired");
  expect(await app.schedules.fire(schedule, at, at)).toBe("already");
  expect(await messages(broker)).toEqual([]);
});

test("looking at what a schedule sends is no send: no middleware hears of it", async () => {
  const heard: string[] = [];
  const send = async (context: { readonly task: string }, next: () => Promise<void>): Promise<void> => {
    heard.push(context.task);
    await next();
  };
  const app = appWith({ schedule: { nightly }, middleware: [{ name: "ears", send }] });
  expect((await app.schedules.check()).map(({ problem }) => problem)).toEqual([null]);
  expect(heard).toEqual([]);
  const [schedule] = app.schedules.declared;
  if (schedule !== undefined) await app.schedules.fire(schedule, at, at);
  expect(heard).toEqual(["reports.send"]);
});

test.each([
  [{ ...nightly, task: "reports.sent" }, "Q2029", 'Did you mean "reports.send"?'],
  [{ ...nightly, args: { to: 7 } }, "Q2007", undefined],
  [{ ...nightly, args: { to: "ops", at: new Date(0) } }, "Q2007", undefined],
  [{ ...nightly, options: { queue: "fast" } }, "Q2007", expect.any(String)],
  [{ ...nightly, options: { priority: 12 } }, "Q2007", undefined],
  [{ ...nightly, options: { headers: { q_x: 1 } } }, "Q2007", expect.any(String)],
  [{ ...nightly, cron: "0 2 31 6 *" }, "Q2006", expect.any(String)],
] as [ScheduleEntry, string, string | undefined][])("%j has a problem: %s", async (entry, code, hint) => {
  const [found] = await appWith({ schedule: { nightly: entry } }).schedules.check();
  expect(found?.problem).toMatchObject({ code, hint, message: expect.stringContaining('"nightly"') });
  await expect(appWith().schedules.put("nightly", entry)).rejects.toMatchObject({ code });
});

test("a mistake that needs no task is found when the app is made", () => {
  expect(() => appWith({ schedule: { nightly: { ...nightly, timezone: "Nowhere" } } })).toThrow(
    expect.objectContaining({ code: "Q2006" }),
  );
});

test("overlap skip needs a broker with leases", async () => {
  const [found] = await appWith(
    { schedule: { nightly: { ...nightly, overlap: "skip" } } },
    bareBroker(),
  ).schedules.check();
  expect(found?.problem).toMatchObject({ code: "Q2032" });
});

test("schedules are made, changed, paused and removed at run time, and seen by every process", async () => {
  const store = new MemoryStore();
  const [one, other] = [appWith({}, memoryBroker({ store })), appWith({}, memoryBroker({ store }))];
  await one.schedules.put("hourly", { ...nightly, cron: "@hourly" });
  const [listed] = await other.schedules.list();
  expect(listed).toMatchObject({ name: "hourly", origin: "stored", paused: false, lastTick: null, problem: null });
  if (listed === undefined || listed.schedule === null) throw new Error("expected a schedule");
  await other.schedules.begin(listed.schedule, at);
  await one.schedules.put("hourly", { ...nightly, every: "30s", cron: undefined as never });
  await one.schedules.pause("hourly");
  expect(await other.schedules.list()).toMatchObject([
    { name: "hourly", paused: true, lastTick: at, schedule: { everyMs: 30_000, isStored: true } },
  ]);
  expect(await other.schedules.fire(listed.schedule, at + 1, at)).toBe("paused");
  await other.schedules.resume("hourly");
  expect(await one.schedules.remove("hourly")).toBe(true);
  expect(await other.schedules.fire(listed.schedule, at + 1, at)).toBe("gone");
  expect(await other.schedules.list()).toEqual([]);
  expect(await one.schedules.remove("hourly")).toBe(false);
});

test("a schedule of createApp can be paused and triggered, and neither changed nor removed at run time", async () => {
  const broker = memoryBroker();
  const app = appWith({ schedule: { nightly } }, broker);
  await expect(app.schedules.put("nightly", nightly)).rejects.toMatchObject({ code: "Q2031" });
  await expect(app.schedules.remove("nightly")).rejects.toMatchObject({ code: "Q2031" });
  await app.schedules.pause("nightly");
  expect(await app.schedules.list()).toMatchObject([{ name: "nightly", origin: "app", paused: true }]);
  const sent = await app.schedules.trigger("nightly");
  expect(await messages(broker)).toMatchObject([{ id: sent.id, queue: "slow" }]);
});

test("an entry whose task is gone, and what another version wrote, are listed with their problem", async () => {
  const broker = memoryBroker();
  const app = appWith({}, broker);
  await app.open();
  await broker.schedules.put("gone", { task: "reports.old", cron: "@daily" });
  await broker.schedules.put("newer", { task: "reports.send", cron: "@daily", colour: "red" });
  await broker.schedules.begin({ name: "left", at, queue: "default" });
  expect(await app.schedules.list()).toMatchObject([
    { name: "gone", origin: "stored", timing: null, problem: { code: "Q2029" } },
    { name: "left", origin: "unknown", schedule: null, problem: null, lastTick: at },
    { name: "newer", origin: "stored", schedule: null, problem: { code: "Q2011" } },
  ]);
  await expect(app.schedules.trigger("left")).rejects.toMatchObject({ code: "Q2031" });
});

test("a name that is not there says what there is", async () => {
  const app = appWith({ schedule: { nightly } });
  for (const act of [app.schedules.pause("nigthly"), app.schedules.trigger("nigthly"), app.schedules.find("nigthly")])
    await expect(act).rejects.toMatchObject({ code: "Q2031", hint: 'Did you mean "nightly"?' });
});

test("a broker that remembers no schedules is told so", async () => {
  const app = appWith({}, bareBroker());
  await expect(app.schedules.list()).rejects.toMatchObject({ code: "Q2032" });
});
