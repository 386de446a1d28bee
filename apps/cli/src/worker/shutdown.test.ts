import { createApp, silentLogger, type Worker } from "@q/core";
import { memoryBroker } from "@q/core/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Shutdown } from "./shutdown.ts";

const usual = { shutdownTimeoutMs: 60_000, isSupervised: false } as const;
const log = { logger: silentLogger, answers: silentLogger, onEvent: () => {}, setLevel: () => {} };

/** A worker that runs one task, which ends when `finish` is called. */
async function busyWorker(): Promise<{ worker: Worker; finish: () => void }> {
  const app = createApp({ broker: memoryBroker(), queues: ["one"] });
  onTestFinished(() => app.close());
  let finish: () => void = () => {};
  app.instrumentedTask({ name: "slow" }, () => new Promise<void>((resolve) => (finish = resolve)));
  const worker = app.createWorker({ shutdownTimeout: "1m" });
  await worker.start();
  await app.sendTask("slow");
  await expect.poll(() => worker.running().length).toBe(1);
  return { worker, finish: () => finish() };
}

describe("Shutdown", () => {
  test("the first signal waits for what runs and ends with 0", async () => {
    const { worker, finish } = await busyWorker();
    const shutdown = new Shutdown(worker, log, { ...usual, exit: () => {} });
    shutdown.signal("SIGTERM");
    await expect.poll(() => worker.state).toBe("stopping");
    finish();
    expect(await shutdown.ended).toBe(0);
    shutdown.unlisten();
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("a second %s hands back at once and ends with %i", async (signal, code) => {
    const { worker } = await busyWorker();
    const shutdown = new Shutdown(worker, log, { ...usual, exit: () => {} });
    shutdown.signal("SIGTERM");
    shutdown.signal(signal);
    expect(await shutdown.ended).toBe(code);
    expect(await worker.stop()).toEqual({ unfinished: 1 });
    shutdown.unlisten();
  });

  test("the signals of a supervised process begin the stop; only the supervisor's count", async () => {
    const { worker } = await busyWorker();
    const shutdown = new Shutdown(worker, log, { ...usual, isSupervised: true, exit: () => {} });
    shutdown.listen();
    for (let times = 0; times < 3; times += 1) process.emit("SIGHUP");
    await expect.poll(() => worker.state).toBe("stopping");
    expect(worker.running()).toHaveLength(1);
    shutdown.signal("SIGTERM");
    shutdown.signal("SIGTERM");
    expect(await shutdown.ended).toBe(143);
    shutdown.unlisten();
  });

  test("a third signal leaves without waiting for anything", async () => {
    const { worker } = await busyWorker();
    const left: number[] = [];
    const shutdown = new Shutdown(worker, log, { ...usual, exit: (code) => left.push(code) });
    for (let times = 0; times < 3; times += 1) shutdown.signal("SIGINT");
    expect(left).toEqual([130]);
    await shutdown.ended;
    shutdown.unlisten();
  });
});
