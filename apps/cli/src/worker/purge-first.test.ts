import { createApp, type LogFields, type Logger } from "@q/core";
import { memoryBroker } from "@q/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { assertMayPurge, purgeFirst } from "./purge-first.ts";

test.each([
  ["Q2106", {}, false],
  ["Q2118", { NODE_ENV: "production" }, true],
  ["Q2119", { Q_READ_ONLY: "1" }, true],
])("is refused with %s when the environment is %j and --yes is %j", (code, env, yes) => {
  expect(() => assertMayPurge(env, { yes })).toThrow(expect.objectContaining({ code }));
});

test("is allowed elsewhere, with --yes", () => {
  expect(() => assertMayPurge({ NODE_ENV: "development" }, { yes: true })).not.toThrow();
});

test("deletes what waits in the chosen queues, once per queue, and says how many", async () => {
  const broker = memoryBroker();
  const app = createApp({ broker, queues: ["one", "two"] });
  onTestFinished(() => app.close());
  app.instrumentedTask({ name: "task" }, () => {});
  for (const queue of ["one", "one", "two"]) await app.sendTask("task", {}, { queue });
  await app.sendTask("task", {}, { queue: "one", countdown: "1h" });
  const said: [LogFields, string][] = [];
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: (fields: LogFields, text: string) => void said.push([fields, text]),
    error: () => {},
    child: () => logger,
  };
  await purgeFirst(app, broker.inspector, ["one", "one"], logger);
  expect(said).toEqual([[{ queue: "one", purged: 3 }, "--purge deleted 3 waiting tasks"]]);
  expect(await broker.inspector.stats("two")).toMatchObject({ ready: 1 });
});
