import { expect, test } from "vitest";
import { createApp, fromUrl, retry, type Broker } from "./index.ts";
import { testApp } from "./testing/index.ts";

// Configs are loaded without a look at their types, and callers may have none.

const withCode = (code: string): unknown => expect.objectContaining({ code });

test.each([
  [undefined, "Q2030"],
  [{ queues: "default" }, "Q2030"],
  [{ queues: [null] }, "Q2030"],
  [{ queues: [5] }, "Q2030"],
  [{ queues: [{ name: 5 }] }, "Q2015"],
  [{ queues: ["a"], broker: null }, "Q2030"],
  [{ queues: ["a"], broker: {} }, "Q2030"],
  [{ queues: ["a"], imports: "./src/tasks/*.ts" }, "Q2030"],
  [{ queues: ["a"], imports: [5] }, "Q2030"],
  [{ queues: ["a"], root: new URL("file:///app/") }, "Q2030"],
  [{ queues: ["a"], middleware: {} }, "Q2030"],
  [{ queues: ["a"], middleware: [undefined] }, "Q2030"],
])("createApp(%j) is refused with %s", (options, code) => {
  expect(() => createApp(options as never)).toThrow(withCode(code));
});

test("a broker that is a URL is refused with what to write, and the URL is not repeated", () => {
  expect(() => createApp({ queues: ["a"], broker: "redis://:secret@cache/0" as never })).toThrow(
    expect.objectContaining({
      message: "expected broker to be a broker, got a string",
      hint: expect.stringContaining("fromUrl"),
    }),
  );
});

test.each([
  [undefined, "expected the URL of a broker, got nothing", "variable"],
  ["", "expected the URL of a broker, got nothing", "variable"],
  ["/var/lib/q.db", "the broker URL has no scheme", "begin it with one of the schemes"],
  ["localhost:6379", "the broker URL has no scheme", "begin it with one of the schemes"],
  ["kafka://localhost", 'no broker answers to "kafka:"', "fromUrl"],
])("a broker from the URL %j is refused with what to do", (url, message, hint) => {
  const factory = Object.assign((): never => expect.fail(), { schemes: ["redis:", "rediss:"] });
  expect(() => fromUrl(url as never, [factory])).toThrow(
    expect.objectContaining({ code: "Q2014", message, hint: expect.stringContaining(hint) }),
  );
});

test("a scheme that is known is one, also before a number", () => {
  const factory = Object.assign((address: string) => ({ address }) as Broker, { schemes: ["sqlite:"] });
  expect(fromUrl("sqlite:2026/q.db", [factory]).address).toBe("sqlite:2026/q.db");
});

test("a logger without child() is refused", () => {
  expect(() => createApp({ queues: ["a"], logger: console as never })).toThrow(withCode("Q2030"));
});

test.each([
  [undefined, "Q2030"],
  [{ broker: "redis://cache" }, "Q2030"],
  [{ logger: console }, "Q2030"],
  [{ brokr: undefined }, "Q2011"],
])("app.use(%j) is refused with %s", (parts, code) => {
  const app = createApp({ queues: ["default"] });
  expect(() => app.use(parts as never)).toThrow(withCode(code));
});

test.each([
  [undefined, "Q2030"],
  ["t.x", "Q2030"],
  [{ name: "t.x", args: {} }, "Q2030"],
  [{ name: "t.x", args: null }, "Q2030"],
  [{ name: "t.x", positional: "userId" }, "Q2030"],
  [{ name: "t.x", positional: ["userId", "kind", "userId"] }, "Q2030"],
  [{ name: "t.x", retry: null }, "Q2013"],
  [{ name: "t.x", retry: { ignore: [] } }, "Q2013"],
  [{ name: "t.x", retry: { on: [Error], exclude: [], ignore: [] } }, "Q2013"],
  [{ name: "ä".repeat(128) }, "Q2005"],
])("a task declared as %j is refused with %s", (options, code) => {
  const app = createApp({ queues: ["default"] });
  expect(() => app.instrumentedTask(options as never, () => {})).toThrow(withCode(code));
});

test.each([
  ["a generator", function* () {}],
  ["an async generator", async function* () {}],
])("%s is no handler: calling it would run nothing, and count as done", (_, handler) => {
  const app = createApp({ queues: ["default"] });
  expect(() => app.instrumentedTask({ name: "t.x" }, handler)).toThrow(withCode("Q2024"));
});

test("a misspelt option of a send is refused in a sentence, with the nearest name", async () => {
  const app = createApp({ queues: ["default"] });
  const task = app.instrumentedTask({ name: "t" }, () => {});
  testApp(app);
  await expect(task.applyAsync({}, { countDown: "5m" } as never)).rejects.toMatchObject({
    code: "Q2011",
    message: 'a send of t has an unknown option "countDown"',
    hint: 'Did you mean "countdown"?',
  });
});

test("retry(null) is refused", () => {
  expect(() => retry(null as never)).toThrow(withCode("Q2030"));
});

test.each([{ queues: "default" }, { onEvent: 5 }, { name: 5 }, { release: 5 }, null])(
  "createWorker(%j) is refused",
  (options) => {
    const app = createApp({ queues: ["default"] });
    testApp(app);
    expect(() => app.createWorker(options as never)).toThrow(withCode("Q2030"));
  },
);

test.each(["", "ä".repeat(128), undefined, 5])("a task cannot be sent by the name %j", async (name) => {
  const app = createApp({ queues: ["default"] });
  const t = testApp(app);
  await expect(app.sendTask(name as never)).rejects.toMatchObject({ code: "Q2005" });
  expect(t.messages).toEqual([]);
  await t.close();
});

test.each([
  [null, "Q2030"],
  ["5m", "Q2030"],
  [{ headers: "x" }, "Q2030"],
  [{ headers: ["x"] }, "Q2030"],
  [{ queue: 5 }, "Q2030"],
  [{ taskId: "a\u0000b" }, "Q2017"],
  [{ taskId: "half a pair: \ud83d" }, "Q2017"],
])("a send with the options %j is refused with %s, and takes nothing along", async (options, code) => {
  const app = createApp({ queues: ["default"] });
  const t = testApp(app);
  const refused = app.sendTask("t.x", {}, options as never);
  await Promise.all([expect(refused).rejects.toMatchObject({ code }), app.sendTask("t.y")]);
  expect(t.messages).toMatchObject([{ task: "t.y" }]);
  await t.close();
});
