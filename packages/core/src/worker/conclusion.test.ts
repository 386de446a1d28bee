import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { ConsumeOptions, Consumer } from "../broker/broker.ts";
import type { Delivery, Settled } from "../broker/delivery.ts";
import { createApp, type WorkerEvent } from "../index.ts";
import { MemoryBroker, MemoryStore } from "../testing/index.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Knows whether anybody still has a delivery of its, and answers to outcomes only when the test lets it. */
class SlowBroker extends MemoryBroker {
  letEnd = (_answer: Settled): void => {};
  handedOut: WeakRef<Delivery> | undefined;

  override consume(
    queues: readonly string[],
    options: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    return super.consume(queues, options, (delivery) => {
      const { message, crashes, lost } = delivery;
      const answer = new Promise<Settled>((resolve) => (this.letEnd = resolve));
      const start = (): Promise<Settled> => delivery.start();
      const handedOut: Delivery = { message, crashes, lost, start, settle: () => answer };
      this.handedOut = new WeakRef(handedOut);
      onDelivery(handedOut);
    });
  }
}

/** Runs a task to its end; the broker has not answered to its outcome. */
async function runOnce(onEvent?: (event: WorkerEvent) => void) {
  const broker = new SlowBroker(new MemoryStore());
  const app = createApp({ queues: ["default"], broker });
  let args: WeakRef<object> | undefined;
  const task = app.instrumentedTask({ name: "t.x" }, async (given: { text: string }) => {
    args = new WeakRef(given);
  });
  const worker = app.createWorker(onEvent === undefined ? {} : { onEvent });
  await worker.start();
  await task.delay({ text: "large" });
  await expect.poll(() => worker.stats().finished).toBe(1);
  const isKept = (): readonly boolean[] => {
    collectGarbage();
    return [broker.handedOut?.deref() !== undefined, args?.deref() !== undefined];
  };
  const end = async (answer: Settled): Promise<void> => {
    broker.letEnd(answer);
    await worker.stop();
    await app.close();
  };
  return { isKept, end };
}

test("a message that has run is not kept in memory until the broker has its outcome", async () => {
  const { isKept, end } = await runOnce();
  await expect.poll(isKept).toEqual([false, false]);
  await end("settled");
});

test("nor is it where somebody wants to hear of it, who is told when the broker has answered", async () => {
  const events: WorkerEvent[] = [];
  const { isKept, end } = await runOnce((event) => events.push(event));
  await expect.poll(isKept).toEqual([false, false]);
  expect(events.map(({ type }) => type)).toEqual(["worker.ready", "task.started"]);
  await end("lost");
  expect(events[2]).toMatchObject({ type: "task.lost", task: "t.x", queue: "default", retries: 0, crashes: 0 });
});
