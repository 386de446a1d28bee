import { testBroker } from "@q/broker-testkit";
import { RabbitServer } from "@q/test-servers";
import { afterAll, beforeAll } from "vitest";
import { amqpHarness } from "./amqp-harness.ts";

let server: RabbitServer;
beforeAll(async () => {
  server = await RabbitServer.start();
}, 180_000);
afterAll(() => server.stop());

for (const queueType of ["classic", "quorum"] as const) {
  testBroker(
    `amqp, ${queueType} queues`,
    amqpHarness(() => ({ port: server.port, vhost: "/" }), queueType),
  );
}
