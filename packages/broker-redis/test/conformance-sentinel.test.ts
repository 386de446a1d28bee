import { testBroker } from "@q/broker-testkit";
import { RedisSentinels } from "@q/test-servers";
import { afterAll, beforeAll } from "vitest";
import { sentinels } from "./deployment.ts";
import { redisHarness } from "./redis-harness.ts";

let group: RedisSentinels;
beforeAll(async () => {
  group = await RedisSentinels.start();
  // The kit then runs against a server that was a replica. What happens during a failover is in sentinel.test.ts.
  await group.failover();
});
afterAll(() => group.stop());

testBroker(
  "redis behind sentinels, after a failover",
  redisHarness(() => sentinels(group)),
);
