import { expect, test } from "vitest";
import { createApp, Ignore, Reject, retry, type JsonObject } from "../index.ts";
import { testApp } from "./index.ts";

class Unavailable extends Error {
  override name = "Unavailable";
}
class RowMissing extends Error {
  override name = "RowMissing";
}

function shop() {
  const app = createApp({ queues: ["default", { name: "urgent", priorities: true }] });
  return { app, t: testApp(app) };
}

test("what is sent is seen, run once, and gone", async () => {
  const { app, t } = shop();
  const seen: unknown[] = [];
  const task = app.instrumentedTask({ name: "t.seen" }, async (args: { n: number }) => {
    seen.push(args.n);
  });
  await Promise.all([1, 2, 3].map((n) => task.delay({ n })));
  expect(t.sent(task)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(seen).toEqual([]);
  await t.drain();
  expect(seen).toEqual([1, 2, 3]);
  expect(await t.stats("default")).toMatchObject({ ready: 0, inFlight: 0, delayed: 0, dead: 0 });
  await t.close();
});

test("retries of days pass in milliseconds, and the message dies with its error after the last", async () => {
  const { app, t } = shop();
  const at: number[] = [];
  const start = t.clock.now();
  const task = app.instrumentedTask(
    { name: "t.retry", maxRetries: 3, defaultRetryDelay: "1d", retry: retry({ on: [Unavailable] }) },
    async (_args: object, ctx) => {
      at.push(t.clock.now() - start);
      expect(ctx.retries).toBe(at.length - 1);
      throw new Unavailable("database is down", { cause: new Error("ECONNREFUSED") });
    },
  );
  await task.delay();
  await t.advance("7d");
  expect(at.map((ms) => Math.round(ms / 86_400_000))).toEqual([0, 1, 2, 3]);
  const { items } = await t.inspector.deadLetters("default", { limit: 10 });
  expect(items).toHaveLength(1);
  expect(items[0]?.reason).toMatchObject({
    code: "retries-exhausted",
    message: "Unavailable: database is down",
    error: { name: "Unavailable", cause: { message: "ECONNREFUSED" } },
  });
  await t.close();
});

test("ignore comes before exclude, exclude before on, and what none matches is dead", async () => {
  const { app, t } = shop();
  class Child extends Unavailable {}
  const thrown: Record<string, Error> = {
    ignored: new RowMissing("gone"),
    excluded: new TypeError("bug"),
    retried: new Child("down"),
    unmatched: new RangeError("odd"),
    byCode: Object.assign(new Error("reset"), { code: "ECONNRESET" }),
  };
  const task = app.instrumentedTask(
    {
      name: "t.rules",
      maxRetries: 1,
      defaultRetryDelay: "1s",
      retry: retry({ on: [Unavailable, TypeError, "ECONNRESET"], exclude: [TypeError], ignore: [RowMissing] }),
    },
    async ({ which }: { which: string }) => {
      const error = thrown[which];
      if (error !== undefined) throw error;
    },
  );
  for (const which of Object.keys(thrown)) await task.delay({ which });
  await t.advance("10s");
  const ends = t.events.flatMap((event) =>
    event.type === "task.dead" ? [`${event.reason.code} ${event.reason.message}`] : [],
  );
  expect(ends.toSorted()).toEqual([
    "failed RangeError: odd",
    "failed TypeError: bug",
    "retries-exhausted Error: reset",
    "retries-exhausted Unavailable: down",
  ]);
  expect(t.events.filter(({ type }) => type === "task.retried")).toHaveLength(2);
  expect(t.events.filter(({ type }) => type === "task.ignored")).toHaveLength(1);
  await t.close();
});

test("a handler says itself what becomes of its message", async () => {
  const { app, t } = shop();
  let runs = 0;
  const task = app.instrumentedTask({ name: "t.says" }, async ({ how }: { how: string }, ctx) => {
    runs += 1;
    if (how === "ignore") throw new Ignore("already done");
    if (how === "reject") throw new Reject("never");
    if (ctx.retries === 0) throw ctx.retry({ delay: "1h", reason: "not yet" });
  });
  for (const how of ["ignore", "reject", "retry"]) await task.delay({ how });
  await t.drain();
  expect(await t.stats("default")).toMatchObject({ delayed: 1, dead: 1 });
  await t.advance("1h");
  expect(runs).toBe(4);
  expect(await t.stats("default")).toMatchObject({ ready: 0, delayed: 0, dead: 1 });
  await t.close();
});

test("a countdown is kept, expired messages are dropped, and priorities go first where the queue has them", async () => {
  const { app, t } = shop();
  const seen: string[] = [];
  const task = app.instrumentedTask({ name: "t.when" }, async ({ what }: { what: string }) => {
    seen.push(what);
  });
  await task.applyAsync({ what: "late" }, { countdown: "2h" });
  await task.applyAsync({ what: "too late" }, { countdown: "2h", expires: "1h" });
  for (const priority of [0, 5, 9]) await task.applyAsync({ what: `p${priority}` }, { queue: "urgent", priority });
  await t.drain();
  expect(seen).toEqual(["p9", "p5", "p0"]);
  await t.advance("119m");
  expect(seen).toHaveLength(3);
  await t.advance("1m");
  expect(seen.slice(3)).toEqual(["late"]);
  expect(t.events.filter(({ type }) => type === "task.expired")).toHaveLength(1);
  await t.close();
});

test("what has failed and expires before its retry is a dead letter, and not dropped", async () => {
  const { app, t } = shop();
  const task = app.instrumentedTask({ name: "t.late", expires: "1m", retry: retry() }, () => {
    throw new Unavailable("database is down");
  });
  await task.delay();
  await t.advance("1d");
  const { items } = await t.inspector.deadLetters("default", { limit: 10 });
  expect(items.map(({ reason }) => reason)).toMatchObject([{ code: "expired" }]);
  expect(t.events.map(({ type }) => type)).not.toContain("task.expired");
  await t.close();
});

test("a worker of some queues has drained when those are empty", async () => {
  const app = createApp({ queues: ["default", "other"] });
  const t = testApp(app, { worker: { queues: ["default"] } });
  let runs = 0;
  const task = app.instrumentedTask({ name: "t.count" }, () => {
    runs += 1;
  });
  await task.delay();
  await task.applyAsync({}, { queue: "other" });
  await t.drain();
  expect(runs).toBe(1);
  expect(await t.stats("other")).toMatchObject({ ready: 1 });
  await t.close();
});

test("a task that nobody knows is parked for a day, unharmed, and then dead", async () => {
  const { app, t } = shop();
  await app.sendTask("billing.charge", { invoice: 7 }, { headers: { tenant: "a" } });
  await t.advance("23h");
  expect(await t.stats("default")).toMatchObject({ delayed: 1, dead: 0 });
  const seen: JsonObject[] = [];
  app.instrumentedTask({ name: "billing.charge" }, async (args: JsonObject, ctx) => {
    seen.push({ ...args, headers: ctx.headers });
  });
  await t.advance("10m");
  expect(seen).toEqual([{ invoice: 7, headers: { tenant: "a" } }]);

  await app.sendTask("nobody.knows", {});
  await t.advance("25h");
  const { items } = await t.inspector.deadLetters("default", { limit: 10 });
  expect(items.map(({ reason }) => reason.code)).toEqual(["unknown-task"]);
  await t.close();
});

test("a message that kills three workers is dead as poison, and its neighbours are done", async () => {
  const app = createApp({ queues: ["default"] });
  const t = testApp(app, { worker: { concurrency: 5 } });
  const done: number[] = [];
  let poisonRuns = 0;
  const task = app.instrumentedTask({ name: "t.poison" }, async ({ n }: { n: number }, ctx) => {
    if (n === 3) {
      poisonRuns += 1;
      t.crash();
      return;
    }
    if (!ctx.signal.aborted) done.push(n);
  });
  for (let n = 0; n < 10; n += 1) await task.delay({ n });
  for (let round = 0; round < 10; round += 1) await t.advance("1m");
  expect(poisonRuns).toBe(3);
  const { items } = await t.inspector.deadLetters("default", { limit: 10 });
  expect(items.map(({ reason }) => reason.code)).toEqual(["poison"]);
  expect(new Set(done)).toEqual(new Set([0, 1, 2, 4, 5, 6, 7, 8, 9]));
  expect(await t.stats("default")).toMatchObject({ ready: 0, inFlight: 0, delayed: 0 });
  await t.close();
});

test("a task sent by a task carries its root and parent", async () => {
  const { app, t } = shop();
  const child = app.instrumentedTask({ name: "t.child" }, async () => {});
  const parent = app.instrumentedTask({ name: "t.parent" }, async () => {
    await child.delay();
  });
  const { id } = await parent.delay();
  await t.drain();
  expect(t.messages[1]).toMatchObject({ task: "t.child", rootId: id, parentId: id });
  await t.close();
});

test("a soft limit aborts the signal, a hard limit gives the attempt up", async () => {
  const { app, t } = shop();
  const reasons: unknown[] = [];
  const task = app.instrumentedTask(
    { name: "t.slow", softTimeLimit: "10s", timeLimit: "20s" },
    async ({ stubborn }: { stubborn: boolean }, ctx) => {
      await new Promise<void>((resolve, reject) => {
        ctx.signal.addEventListener("abort", () => {
          reasons.push((ctx.signal.reason as { code: string }).code);
          if (!stubborn) reject(ctx.signal.reason as Error);
        });
        if (stubborn) t.clock.setTimer(60_000, resolve);
      });
    },
  );
  await task.delay({ stubborn: false });
  await task.delay({ stubborn: true });
  await t.advance("2m");
  expect(reasons).toEqual(["Q4010", "Q4010"]);
  expect(t.events.filter(({ type }) => type === "task.overdue")).toHaveLength(1);
  const { items } = await t.inspector.deadLetters("default", { limit: 10 });
  expect(items.map(({ reason }) => (reason.error as { code?: string }).code)).toEqual(
    expect.arrayContaining(["Q4002", "Q4010"]),
  );
  await t.close();
});

test("an at-most-once task does not come back when its worker dies", async () => {
  const { app, t } = shop();
  let runs = 0;
  const task = app.instrumentedTask({ name: "t.once", delivery: "at-most-once" }, async () => {
    runs += 1;
    t.crash();
  });
  await task.delay();
  await t.advance("1h");
  expect(runs).toBe(1);
  expect(await t.stats("default")).toMatchObject({ ready: 0, inFlight: 0, delayed: 0, dead: 0 });
  await t.close();
});

test("draining before anything was sent does nothing", async () => {
  const { t } = shop();
  await t.drain();
  expect(t.messages).toEqual([]);
  await t.close();
});
