import { testBroker } from "@q/broker-testkit";
import { RedisCluster } from "@q/test-servers";
import { afterAll, beforeAll } from "vitest";
import { aCluster } from "./deployment.ts";
import { redisHarness } from "./redis-harness.ts";

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start({ masters: 3 });
});
afterAll(() => cluster.stop());

testBroker(
  "redis cluster of three masters",
  redisHarness(() => aCluster(cluster)),
);
