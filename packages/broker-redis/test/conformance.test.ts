import { testBroker } from "@q/broker-testkit";
import { RedisServer } from "@q/test-servers";
import { afterAll, beforeAll } from "vitest";
import { oneServer } from "./deployment.ts";
import { redisHarness } from "./redis-harness.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

testBroker(
  "redis",
  redisHarness(() => oneServer(server)),
);
