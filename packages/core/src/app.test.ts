import { expect, test } from "vitest";
import { z } from "zod";
import { createApp, EagerTaskFailed, fromUrl, retry, type Broker, type Middleware, type TaskContext } from "./index.ts";
import { FakeClock, memoryBroker, testApp } from "./testing/index.ts";

const withCode = (code: string, message = /^/): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown });

test("two tasks of one name are an error that names both places", () => {
  const app = createApp({ queues: ["default"] });
  app.instrumentedTask({ name: "email.send" }, () => {});
  expect(() => app.instrumentedTask({ name: "email.send" }, () => {})).toThrow(
    withCode("Q2004", /two tasks are named "email\.send": .*app\.test\.ts:\d+, .*app\.test\.ts:\d+/),
  );
});

test("a queue that is not declared is an error at the task and at the send, with the nearest one", async () => {
  const app = createApp({ queues: ["email", "default"] as readonly string[] });
  expect(() => app.instrumentedTask({ name: "t.x", queue: "emial" }, () => {})).toThrow(
    expect.objectContaining({ code: "Q2003", hint: 'Did you mean "email"?', details: { known: "email, default" } }),
  );
  const task = app.instrumentedTask({ name: "t.y" }, () => {});
  await expect(task.applyAsync({}, { queue: "reports" })).rejects.toMatchObject({ code: "Q2003" });
});

test.each([
  [{ queues: [] }, "Q2015"],
  [{ queues: ["a b"] }, "Q2015"],
  [{ queues: ["{a}"] }, "Q2015"],
  [{ queues: ["a", "a"] }, "Q2015"],
  [{ queues: [{ name: "a", prioritys: true }] }, "Q2011"],
  [{ queues: ["a"], retries: 3 }, "Q2011"],
  [{ queues: ["a"], maxCrashes: 1 }, "Q2012"],
  [{ queues: ["a"], parkFor: "1 day" }, "Q2010"],
])("createApp(%j) is refused with %s", (options, code) => {
  expect(() => createApp(options as never)).toThrow(withCode(code));
});

test.each([
  [{}, "Q2005"],
  [{ name: "" }, "Q2005"],
  [{ name: "t.x", maxRetrys: 3 }, "Q2011"],
  [{ name: "t.x", priority: 10 }, "Q2012"],
  [{ name: "t.x", timeLimit: "soon" }, "Q2010"],
  [{ name: "t.x", timeLimit: "0s" }, "Q2010"],
  [{ name: "t.x", delivery: "at-most-once", retry: retry() }, "Q2016"],
])("a task declared as %j is refused with %s", (options, code) => {
  const app = createApp({ queues: ["default"] });
  expect(() => app.instrumentedTask(options as never, () => {})).toThrow(withCode(code));
});

test("arguments that JSON cannot carry are refused at the call, with their path, and nothing is sent", async () => {
  const app = createApp({ queues: ["default"], broker: memoryBroker() });
  const t = testApp(app);
  const task = app.instrumentedTask({ name: "t.x" }, (_args: { user: { createdAt: unknown } }) => {});
  await expect(task.delay({ user: { createdAt: new Date() } })).rejects.toMatchObject({
    code: "Q3002",
    message: expect.stringMatching(/args\.user\.createdAt is a Date: send an ISO string/),
  });
  await expect(task.delay({ user: { createdAt: "x".repeat(70_000) } })).rejects.toMatchObject({ code: "Q3003" });
  const headers = { "x-trace": "x".repeat(70_000) };
  await expect(task.applyAsync({ user: { createdAt: 0 } }, { headers })).rejects.toMatchObject({ code: "Q3003" });
  await expect(task.applyAsync({ user: { createdAt: 0 } }, { headers: { task: "other" } })).rejects.toMatchObject({
    code: "Q3005",
  });
  expect(t.messages).toEqual([]);
  await t.close();
});

test("a schema is checked when sending and when running, and unknown fields fail neither", async () => {
  const app = createApp({ queues: ["default"] });
  const t = testApp(app);
  const seen: unknown[] = [];
  const task = app.instrumentedTask(
    { name: "t.schema", args: z.object({ id: z.number(), at: z.coerce.date().default(new Date(0)) }) },
    async ({ id, at }) => {
      seen.push(id, at.getTime());
    },
  );
  await expect(task.delay({ id: "7" } as never)).rejects.toMatchObject({ code: "Q3001" });
  await app.sendTask("t.schema", { id: 7, addedByANewerVersion: true });
  await t.drain();
  expect(seen).toEqual([7, 0]);
  await t.close();
});

test("a message of an older version that the schema refuses is dead, with the field in its reason", async () => {
  const sender = createApp({ queues: ["default"] });
  const t = testApp(sender);
  await sender.sendTask("t.schema", { id: "seven" });
  sender.instrumentedTask({ name: "t.schema", args: z.object({ id: z.number() }) }, () => {});
  await t.drain();
  const { items } = await t.inspector.deadLetters("default", { limit: 1 });
  expect(items[0]?.reason).toMatchObject({ code: "invalid-arguments", message: expect.stringContaining("args.id") });
  await t.close();
});

test("what the caller changes after the call is not sent", async () => {
  const app = createApp({ queues: ["default"] });
  const t = testApp(app);
  const task = app.instrumentedTask({ name: "t.snapshot" }, (_args: { list: number[] }) => {});
  const list = [1];
  const sending = task.delay({ list });
  list.push(2);
  await sending;
  expect(t.sent(task)).toEqual([{ list: [1] }]);
  await t.close();
});

test("sendMany reads its input only as fast as the broker takes it", async () => {
  const app = createApp({ queues: ["default"] });
  const t = testApp(app);
  const task = app.instrumentedTask({ name: "t.bulk" }, (_args: { n: number }) => {});
  let produced = 0;
  let mostAhead = 0;
  const sent = await app.sendMany(
    (function* () {
      for (let n = 0; n < 30_000; n += 1) {
        produced += 1;
        mostAhead = Math.max(mostAhead, produced - t.messageCount);
        yield task.signature({ n });
      }
    })(),
  );
  expect(sent).toHaveLength(30_000);
  expect(t.messageCount).toBe(30_000);
  expect(mostAhead).toBeLessThanOrEqual(12_000);
  await t.close();
});

test.each(["of a generator", "of an async generator"])("sendMany lets the event loop come round: %s", async (kind) => {
  const app = createApp({ queues: ["default"] });
  const t = testApp(app);
  const task = app.instrumentedTask({ name: "t.bulk" }, (_args: { n: number }) => {});
  await task.delay({ n: 0 });
  const all = Array.from({ length: 2000 }, (_, n) => task.signature({ n }));
  let hasTurned = false;
  setImmediate(() => (hasTurned = true));
  let sawTurn = false;
  const read = <T>(item: T): T => {
    sawTurn = hasTurned;
    return item;
  };
  const plain = function* () {
    for (const signature of all) yield read(signature);
  };
  const waiting = async function* () {
    for (const signature of all) yield await Promise.resolve(read(signature));
  };
  await app.sendMany(kind === "of a generator" ? plain() : waiting());
  expect(sawTurn).toBe(true);
  await t.close();
});

test("an eager app runs at once, with real validation and retries, and raises what would be dead", async () => {
  const app = createApp({ queues: ["default"], eager: true });
  let runs = 0;
  const flaky = app.instrumentedTask({ name: "t.flaky", retry: retry(), defaultRetryDelay: "1d" }, async () => {
    runs += 1;
    if (runs < 3) throw new Error("not yet");
  });
  await flaky.applyAsync({}, { countdown: "1d" });
  expect(runs).toBe(3);
  const broken = app.instrumentedTask({ name: "t.broken" }, async (_args: { when?: unknown }) => {
    throw new TypeError("bug");
  });
  await expect(broken.delay()).rejects.toThrow(EagerTaskFailed);
  await expect(broken.delay({ when: new Date() })).rejects.toMatchObject({ code: "Q3002" });
  await expect(app.sendTask("t.unknown")).rejects.toMatchObject({ code: "Q4008", reason: { code: "unknown-task" } });
  await app.close();
});

test("middleware wraps sends and runs in its order, and adds headers", async () => {
  const log: string[] = [];
  const named = (name: string): Middleware => ({
    name,
    headers: () => ({ [`x-${name}`]: "1" }),
    send: async (_context, next) => {
      log.push(`${name} send`);
      await next();
    },
    run: async (_context, next) => {
      log.push(`${name} run`);
      try {
        return await next();
      } finally {
        log.push(`${name} ran`);
      }
    },
  });
  const app = createApp({ queues: ["default"], middleware: [named("outer"), named("inner")] });
  const t = testApp(app);
  let context: TaskContext | undefined;
  const task = app.instrumentedTask({ name: "t.wrapped" }, (_args: object, ctx) => {
    context = ctx;
    log.push("handler");
  });
  await task.applyAsync({}, { headers: { tenant: "a" } });
  await t.drain();
  expect(log).toEqual(["outer send", "inner send", "outer run", "inner run", "handler", "inner ran", "outer ran"]);
  expect(context?.headers).toEqual({ tenant: "a", "x-outer": "1", "x-inner": "1" });
  await t.close();
});

test("positional arguments of a Python caller get the names that the task declares", async () => {
  const app = createApp({ queues: ["default"] });
  const t = testApp(app);
  const seen: unknown[] = [];
  app.instrumentedTask({ name: "t.positional", positional: ["event_id", "count"] }, async (args: object) => {
    seen.push(args);
  });
  await app.sendTask("t.positional", ["e1", 2]);
  await t.drain();
  expect(seen).toEqual([{ event_id: "e1", count: 2 }]);
  await t.close();
});

test("two apps live in one process and know nothing of each other", () => {
  const [one, two] = [createApp({ queues: ["a"] }), createApp({ queues: ["b"] })];
  one.instrumentedTask({ name: "t.same" }, () => {});
  two.instrumentedTask({ name: "t.same" }, () => {});
  expect([...one.tasks.keys(), ...two.tasks.keys()]).toEqual(["t.same", "t.same"]);
});

test("close sends what is waiting, may be called twice and before open", async () => {
  const broker = memoryBroker();
  const app = createApp({ queues: ["default"], broker });
  const task = app.instrumentedTask({ name: "t.flush" }, () => {});
  const sends = [task.delay(), task.delay()];
  await app.close();
  await app.close();
  await expect(Promise.all(sends)).resolves.toHaveLength(2);
  await createApp({ queues: ["default"] }).close();
});

test("an app without a broker says so when it is first needed", async () => {
  const app = createApp({ queues: ["default"] });
  const task = app.instrumentedTask({ name: "t.x" }, () => {});
  await expect(task.delay()).rejects.toMatchObject({ code: "Q2019" });
  expect(() => app.createWorker()).toThrow(withCode("Q2019"));
});

test("the broker of a URL is the one whose scheme it has; the URL itself is never shown", () => {
  const factory = Object.assign((url: string) => ({ address: url }) as Broker, { schemes: ["memory:"] });
  expect(fromUrl("memory:here", [factory]).address).toBe("memory:here");
  for (const url of ["memry:user:secret@host", "no scheme with secret"]) {
    expect(() => fromUrl(url, [factory])).toThrow(
      expect.objectContaining({ code: "Q2014", message: expect.not.stringContaining("secret") }),
    );
  }
});

test("a closed app sends nothing more, until it is opened again", async () => {
  const broker = memoryBroker();
  const app = createApp({ queues: ["default"], broker });
  const task = app.instrumentedTask({ name: "t.late" }, () => {});
  await task.delay();
  await app.close();
  await expect(task.delay()).rejects.toMatchObject({ code: "Q1010" });
  expect(broker.connected).toBe(false);
  await app.open();
  await task.delay();
  await app.close();
});

test("a broker that opens only after close does not leave the app open", async () => {
  const clock = new FakeClock();
  const broker = memoryBroker();
  let answer = (): void => {};
  const open = broker.open.bind(broker);
  broker.open = async (context) => {
    await new Promise<void>((resolve) => (answer = resolve));
    await open(context);
  };
  const app = createApp({ queues: ["default"], broker, clock });
  const task = app.instrumentedTask({ name: "t.late" }, () => {});
  const sending = task.delay().catch((error: unknown) => (error as { code: string }).code);
  await clock.advance(0);
  const closing = app.close();
  await clock.advance("10s");
  await closing;
  expect(await sending).toBe("Q1102");
  answer();
  await clock.advance(0);
  expect(broker.connected).toBe(false);
});

test("positional arguments are checked by the schema under their names, before anything is sent", async () => {
  const app = createApp({ queues: ["default"] });
  const t = testApp(app);
  app.instrumentedTask({ name: "t.named", positional: ["id"], args: z.object({ id: z.number() }) }, () => {});
  app.instrumentedTask({ name: "t.unnamed" }, () => {});
  await app.sendTask("t.named", [7]);
  await expect(app.sendTask("t.named", ["seven"])).rejects.toMatchObject({ code: "Q3001" });
  await expect(app.sendTask("t.unnamed", [7])).rejects.toMatchObject({ code: "Q3004" });
  expect(t.sent("t.named")).toEqual([[7]]);
  await t.close();
});

test("sendMany stops reading at the first error", async () => {
  const app = createApp({ queues: ["default"] });
  const t = testApp(app);
  const task = app.instrumentedTask({ name: "t.bulk" }, (_args: object) => {});
  let produced = 0;
  const endless = (function* () {
    for (;;) {
      produced += 1;
      yield task.signature(produced === 3 ? { when: new Date() } : { produced });
    }
  })();
  await expect(app.sendMany(endless)).rejects.toMatchObject({ code: "Q3002" });
  expect([produced, t.messageCount]).toEqual([3, 2]);
  await t.close();
});

test("an eager at-most-once task that fails says so", async () => {
  const app = createApp({ queues: ["default"], eager: true });
  const task = app.instrumentedTask({ name: "t.once", delivery: "at-most-once" }, () => {
    throw new TypeError("bug");
  });
  await expect(task.delay()).rejects.toMatchObject({ code: "Q4008", reason: { code: "failed" } });
});

test.each([
  [{ name: "t.x", retry: { on: [Error] } }, () => {}, "Q2013"],
  [{ name: "t.x", maxMessageSize: "1 MB" }, () => {}, "Q2012"],
  [{ name: "t.x", delivery: "at-most-one" }, () => {}, "Q2016"],
  [{ name: "t.x" }, undefined, "Q2024"],
])("a task declared as %j with the handler %j is refused with %s", (options, handler, code) => {
  const app = createApp({ queues: ["default"] });
  expect(() => app.instrumentedTask(options as never, handler as never)).toThrow(withCode(code));
});

test("a task without a name is found by its file and line", () => {
  const app = createApp({ queues: ["default"] });
  expect(() => app.instrumentedTask({} as never, () => {})).toThrow(withCode("Q2005", /app\.test\.ts:\d+/));
});
