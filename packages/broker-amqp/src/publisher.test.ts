import { PublishFailed, silentLogger } from "@q/core/broker";
import { FakeClock } from "@q/core/testing";
import { expect, test, vi } from "vitest";
import { FakeConnection, outboxOptions } from "../test/fake-connection.ts";
import { message } from "../test/message.ts";
import { readOptions } from "./options.ts";
import { Outboxes } from "./outboxes.ts";
import { Publisher } from "./publisher.ts";
import { Topology } from "./topology.ts";

test("a batch of which one message was refused, and the other may be stored, tells of both", async () => {
  const fake = new FakeConnection();
  const clock = new FakeClock();
  const options = { ...outboxOptions(fake), clock };
  const outbox = new Outboxes({ ...options, onApart: () => undefined });
  const topology = new Topology(readOptions(), silentLogger);
  const publisher = new Publisher({ connection: options.connection, outbox, topology });
  const { channel, lose } = fake.connect();
  await vi.waitFor(() => expect(channel.listenerCount("drain")).toBe(1));
  const [refused, unknown] = [message("a", "queue", { body: "refused" }), message("b", "queue", { body: "unknown" })];
  const publishing = publisher.publish([refused, unknown]).catch((reason: unknown) => reason);
  channel.refuse("refused");
  lose();
  await clock.advance("10s");
  const error = await publishing;
  expect(error).toBeInstanceOf(PublishFailed);
  const failures = [...(error as PublishFailed).failures];
  expect(failures.map(([position, { code }]) => [position, code])).toEqual([
    [0, "Q1106"],
    [1, "Q1102"],
  ]);
});
