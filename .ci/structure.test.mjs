import { expect, test } from "vitest";
import { importFault, readModule, nameFault } from "./structure.mjs";

test.each([
  ["packages/core/src/worker/worker.ts", "@q/broker-sqlite"],
  ["packages/core/src/app.ts", "@q/core/broker"],
  ["packages/core/src/app.ts", "./testing/memory-broker.ts"],
  ["packages/core/src/app.ts", "../test/fixture.ts"],
  ["packages/core/src/broker/delivery.ts", "../app.ts"],
  ["packages/core/src/broker/delivery.ts", "ioredis"],
  ["packages/core/src/logger.ts", "./app.ts"],
  ["packages/core/src/app.test.ts", "@q/broker-testkit"],
  ["packages/broker-sqlite/src/consumer.ts", "@q/core"],
  ["packages/broker-sqlite/src/consumer.ts", "@q/core/testing"],
  ["packages/broker-sqlite/src/consumer.ts", "@q/broker-amqp"],
  ["packages/broker-sqlite/src/consumer.ts", "../../broker-amqp/src/delays.ts"],
  ["packages/broker-sqlite/src/consumer.ts", "../../core/src/json.ts"],
  ["packages/broker-sqlite/src/consumer.ts", "../test/child.ts"],
  ["packages/broker-sqlite/test/crash.test.ts", "@q/broker-amqp"],
  ["packages/broker-sqlite/src/consumer.ts", "@q/test-servers"],
  ["packages/test-servers/src/redis-server.ts", "@q/core"],
  ["packages/broker-testkit/src/world.ts", "@q/core"],
  ["packages/broker-testkit/src/world.ts", "@q/broker-sqlite"],
  ["packages/scheduler/src/scheduler.ts", "@q/broker-sqlite"],
  ["packages/scheduler/src/scheduler.ts", "@q/cli"],
  ["apps/demo/src/service.ts", "@q/cli"],
  ["apps/demo/src/service.ts", "../../cli/src/main.ts"],
  ["apps/cli/src/main.ts", "../../../packages/core/src/app.ts"],
  ["apps/cli/src/worker.test.ts", "@q/test-servers"],
])("%s must not import %s", (file, specifier) => {
  expect(importFault(file, specifier)).toContain(specifier);
});

test.each([
  ["packages/core/src/app.ts", "./broker/broker.ts"],
  ["packages/core/src/app.ts", "tinyglobby"],
  ["packages/core/src/broker/delivery.ts", "../json.ts"],
  ["packages/core/src/testing/memory-broker.ts", "../broker/index.ts"],
  ["packages/core/src/app.test.ts", "./testing/memory-broker.ts"],
  ["packages/broker-sqlite/src/consumer.ts", "@q/core/broker"],
  ["packages/broker-sqlite/src/consumer.ts", "./connection.ts"],
  ["packages/broker-sqlite/src/consumer.test.ts", "../test/temporary-file.ts"],
  ["packages/broker-sqlite/test/conformance.test.ts", "@q/broker-testkit"],
  ["packages/broker-redis/test/reconnect.test.ts", "@q/test-servers"],
  ["packages/test-servers/src/redis-server.ts", "ioredis"],
  ["packages/broker-testkit/src/world.ts", "@q/core/testing"],
  ["packages/broker-testkit/src/test-broker.ts", "vitest"],
  ["packages/scheduler/src/scheduler.ts", "@q/core"],
  ["apps/cli/src/main.ts", "@q/broker-sqlite"],
  ["apps/cli/test/rabbitmq.test.ts", "@q/test-servers"],
  ["apps/bench/src/servers.ts", "@q/test-servers"],
  ["apps/cli/src/version.ts", "../package.json"],
])("%s may import %s", (file, specifier) => {
  expect(importFault(file, specifier)).toBeUndefined();
});

test("every way to import is seen", () => {
  const source = `
    import a from "a"; import type { B } from "b"; import "c"; export { d } from "d";
    export type { E } from "e"; export * from "f"; await import("g"); await import(\`h\`);`;
  const found = readModule("x.ts", source).imports.map(({ specifier }) => specifier);
  expect(found.toSorted()).toEqual(["a", "b", "c", "d", "e", "f", "g", "h"]);
});

test("export * is seen, with and without a name", () => {
  expect(readModule("x.ts", `export * from "a"; export * as b from "b"; export { c } from "c";`).stars).toHaveLength(2);
});

test("a name that says nothing is refused, for files and for folders", () => {
  expect(nameFault("packages/core/src/utils.ts")).toContain("utils.ts");
  expect(nameFault("apps/cli/src/lib/table.ts")).toContain("lib");
  expect(nameFault("packages/core/src/types.test.ts")).toContain("types.test.ts");
  expect(nameFault("packages/core/src/type-guard.ts")).toBeUndefined();
});
