import { isInstalled } from "@q/test-servers";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { openChannel } from "./channel.ts";
import { eventually, message, opened } from "./opened.ts";
import { newVhost } from "./shared-node.ts";

beforeEach(({ skip }) => {
  skip(!isInstalled("rabbitmq-server"), "no RabbitMQ here: apt-get install rabbitmq-server");
});

test("a dead letter without an id stays, and those behind it are redriven", async () => {
  const { url } = await newVhost("redrive");
  const broker = await opened({ url }, "default");
  const channel = await openChannel({ defer: onTestFinished }, url);
  channel.sendToQueue("default", Buffer.from("{}"), { contentType: "application/json", messageId: "" });
  await channel.waitForConfirms();
  await broker.publish([message("default", "a"), message("default", "b")]);
  const consumer = await broker.consume(["default"], { prefetch: 1 }, (delivery) => {
    void delivery.settle({ kind: "bury", reason: { code: "failed", message: "it did not work" } });
  });
  const { inspector } = broker;
  await eventually(async () => expect((await inspector?.stats("default"))?.dead).toBe(3));
  await consumer.stop();
  const letters = (await inspector?.deadLetters("default", { limit: 10 }))?.items ?? [];
  expect(await inspector?.redrive("default", letters)).toBe(2);
  await eventually(async () => expect(await inspector?.stats("default")).toMatchObject({ ready: 2, dead: 1 }));
  const left = await inspector?.deadLetters("default", { limit: 10 });
  expect(left?.items.map(({ message: dead }) => "id" in dead && dead.id)).toEqual([""]);
});
