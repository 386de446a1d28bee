import { expect, test } from "vitest";
import { consumed, eventually, idsOf, message, opened, ownServer } from "./opened.ts";

const server = ownServer();
/** Through the ladder. */
const delayMs = 1000;

test("a queue that is deleted under its consumer gets delayed messages when it is there again", async () => {
  const broker = await opened({ url: server().url }, "consumed");
  const came = await consumed(broker, "consumed");
  await server().admin.deleteQueue("consumed");
  await eventually(() => broker.publish([message("consumed", "now")]));
  await eventually(() => expect(idsOf(came)).toEqual(["now"]));
  await broker.publish([message("consumed", "later", { delayMs })]);
  await eventually(() => expect(idsOf(came)).toEqual(["now", "later"]));
});

test("a queue that is made again for a message of its own gets delayed ones too", async () => {
  const broker = await opened({ url: server().url }, "redriven");
  await broker.publish([message("redriven", "dead"), message("redriven", "delayed", { delayMs })]);
  const consumer = await broker.consume(["redriven"], { prefetch: 1 }, (delivery) => {
    void delivery.settle({ kind: "bury", reason: { code: "failed", message: "it did not work" } });
  });
  const { inspector } = broker;
  await eventually(async () => expect((await inspector?.stats("redriven"))?.dead).toBe(2));
  await consumer.stop();
  await server().admin.deleteQueue("redriven");
  const letters = await inspector?.deadLetters("redriven", { limit: 10 });
  await inspector?.redrive("redriven", letters?.items.map(({ entryId }) => ({ entryId })) ?? []);
  await broker.publish([message("redriven", "later", { delayMs })]);
  await eventually(async () => expect((await inspector?.stats("redriven"))?.ready).toBe(3));
});
