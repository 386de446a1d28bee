import { expect, test } from "vitest";
import type { ConsumeOptions, Consumer } from "../broker/broker.ts";
import type { Delivery } from "../broker/delivery.ts";
import { createApp } from "../index.ts";
import { MemoryBroker, MemoryStore } from "../testing/index.ts";

/** A memory broker that refuses to be consumed for as long as a test says so. */
class Reluctant extends MemoryBroker {
  isReluctant = false;

  override consume(
    queues: readonly string[],
    options: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    if (this.isReluctant) return Promise.reject(new Error("not now"));
    return super.consume(queues, options, onDelivery);
  }
}

function setUp() {
  const broker = new Reluctant(new MemoryStore());
  const app = createApp({ queues: ["default"], broker });
  const types: string[] = [];
  const worker = app.createWorker({ onEvent: ({ type }) => types.push(type) });
  let runs = 0;
  const task = app.instrumentedTask({ name: "t.count" }, () => {
    runs += 1;
  });
  return { app, broker, worker, task, types, runs: () => runs };
}

test("a worker that failed to start leaves nothing behind: started again, it answers a ping once", async () => {
  const { app, broker, worker } = setUp();
  broker.isReluctant = true;
  await expect(worker.start()).rejects.toThrow("not now");
  expect(worker.state).toBe("new");
  broker.isReluctant = false;
  await worker.start();
  const replies: unknown[] = [];
  await broker.control.subscribe("worker-replies", (reply) => replies.push(reply));
  await broker.control.broadcast("workers", { command: "ping", ticket: "t1" });
  await broker.control.broadcast("workers", { command: "other", ticket: "t2" });
  await expect.poll(() => replies.length).toBeGreaterThan(0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(replies).toHaveLength(1);
  await worker.stop();
  await app.close();
});

test("a second start waits with the first", async () => {
  const { app, worker } = setUp();
  void worker.start();
  await worker.start();
  expect(app.broker.connected).toBe(true);
  expect((await app.broker.inspector?.stats("default"))?.consumers).toBe(1);
  await worker.stop();
  await app.close();
});

test("a worker that is paused while it starts is ready, and works when it is resumed", async () => {
  const { app, worker, task, types, runs } = setUp();
  await task.delay();
  const starting = worker.start();
  await worker.pause();
  await starting;
  expect([worker.state, runs()]).toEqual(["paused", 0]);
  expect(types).toContain("worker.ready");
  await worker.resume();
  await expect.poll(runs).toBe(1);
  await worker.stop();
  await app.close();
});

test("a worker that could not be resumed is still paused, and can be resumed later", async () => {
  const { app, broker, worker, task, runs } = setUp();
  await worker.start();
  await worker.pause();
  await task.delay();
  broker.isReluctant = true;
  await expect(worker.resume()).rejects.toThrow("not now");
  expect(worker.state).toBe("paused");
  broker.isReluctant = false;
  await worker.resume();
  await expect.poll(runs).toBe(1);
  await worker.stop();
  await app.close();
});

test("stop does not reject when the control bus fails", async () => {
  const { app, broker, worker } = setUp();
  const { subscribe } = broker.control;
  broker.control.subscribe = async (...args) => {
    const subscription = await subscribe.apply(broker.control, args);
    return {
      close: async () => {
        await subscription.close();
        throw new Error("gone");
      },
    };
  };
  await worker.start();
  expect(await worker.stop()).toEqual({ unfinished: 0 });
  expect(worker.state).toBe("stopped");
  await app.close();
});
