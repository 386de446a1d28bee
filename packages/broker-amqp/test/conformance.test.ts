import { testBroker } from "@q/broker-testkit";
import { amqpHarness } from "./amqp-harness.ts";

testBroker(
  "amqp hand",
  amqpHarness(() => ({ port: 5672, vhost: "amqp-hand" }), "classic"),
);
