import { testBroker } from "@q/broker-testkit";
import { isInstalled } from "@q/test-servers";
import { beforeAll, beforeEach } from "vitest";
import { amqpHarness } from "./amqp-harness.ts";
import { newVhost, sharedNode } from "./shared-node.ts";

const vhost = "conformance";
const installed = isInstalled("rabbitmq-server");

beforeAll(async () => {
  if (installed) await newVhost(vhost);
});

beforeEach(({ skip }) => {
  skip(!installed, "no RabbitMQ here: apt-get install rabbitmq-server");
});

for (const queueType of ["classic", "quorum"] as const) {
  testBroker(
    `amqp, ${queueType} queues`,
    amqpHarness(() => ({ port: sharedNode().port, vhost }), queueType),
  );
}
