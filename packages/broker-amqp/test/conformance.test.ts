import { testBroker } from "@q/broker-testkit";
import { isInstalled } from "@q/test-servers";
import { beforeAll, beforeEach } from "vitest";
import { amqpHarness } from "./amqp-harness.ts";
import { newVhost, sharedNode } from "./shared-node.ts";

const queueTypes = ["classic", "quorum"] as const;
/** One each: what brokers share in a vhost, such as the queue of the schedules, is of the type of who was first. */
const vhostOf = (queueType: string): string => `conformance-${queueType}`;
const installed = isInstalled("rabbitmq-server");

beforeAll(async () => {
  if (installed) await Promise.all(queueTypes.map((queueType) => newVhost(vhostOf(queueType))));
});

beforeEach(({ skip }) => {
  skip(!installed, "no RabbitMQ here: apt-get install rabbitmq-server");
});

for (const queueType of queueTypes) {
  testBroker(
    `amqp, ${queueType} queues`,
    amqpHarness(() => ({ port: sharedNode().port, vhost: vhostOf(queueType) }), queueType),
  );
}
