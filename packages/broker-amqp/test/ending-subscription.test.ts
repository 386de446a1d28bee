import { expect, onTestFinished, test } from "vitest";
import type { Broker, Consumer } from "@q/core/broker";
import { eventually, message, opened, ownServer } from "./opened.ts";

const server = ownServer();

/** More than ever comes in a test, so that no consumer is full. */
const prefetch = 32_000;
/** What may have come since acks were last written. */
const fewOpen = 100;

interface Stream {
  readonly worker: Broker;
  readonly consumer: Consumer;
  /** How many have been handed out. */
  readonly started: () => number;
  /** How many of these have no answer to their ack. */
  readonly open: () => number;
}

/** Messages come to "busy" all the time, one after the other, and none to "quiet". A worker takes both, and acks at once. */
async function streaming(): Promise<Stream> {
  const producer = await opened({ url: server().url }, "busy");
  const worker = await opened({ url: server().url }, "quiet");
  let [started, answered] = [0, 0];
  const consumer = await worker.consume(["busy", "quiet"], { prefetch }, (delivery) => {
    started += 1;
    void delivery.settle({ kind: "ack" }).then(() => (answered += 1));
  });
  const over = new AbortController();
  const sending = (async () => {
    while (!over.signal.aborted) await producer.publish([message("busy", "one of many")]);
  })();
  onTestFinished(async () => {
    over.abort();
    await sending;
  });
  await eventually(() => expect(answered).toBeGreaterThan(0));
  return { worker, consumer, started: () => started, open: () => started - answered };
}

/** Waits for three times as many as may be open. */
async function expectAnswers({ started, open }: Stream): Promise<void> {
  const before = started();
  await eventually(() => expect(started()).toBeGreaterThan(before + fewOpen * 3));
  await eventually(() => expect(open()).toBeLessThan(fewOpen));
}

test("outcomes of a busy queue are stored while a quiet one is paused", async () => {
  const stream = await streaming();
  await stream.worker.inspector?.pause("quiet");
  await expectAnswers(stream);
});

test("outcomes are stored, after a second at most, while a consumer that is never full takes another prefetch", async () => {
  const stream = await streaming();
  stream.consumer.resize(prefetch * 2);
  await expectAnswers(stream);
});
