import { systemClock, type Clock } from "@q/core/broker";
import { expect, test } from "vitest";
import { eventually, openBroker, temporaryFile } from "../test/temporary.ts";
import { SimulatedProcesses } from "../test/simulated-processes.ts";
import type { SqliteBroker } from "./sqlite-broker.ts";

/** The machine's clock, which all processes share and somebody sets. */
class SetClock implements Clock {
  aheadMs = 0;
  readonly monotonic = systemClock.monotonic;
  readonly setTimer = systemClock.setTimer;

  now(): number {
    return systemClock.now() + this.aheadMs;
  }
}

const hourMs = 3_600_000;

test("a lease whose holder lives outlasts a clock that is set forward", async () => {
  const path = temporaryFile();
  const clock = new SetClock();
  const [holder, other] = [
    await openBroker(path, { internals: { clock } }),
    await openBroker(path, { internals: { clock } }),
  ];
  const ttlMs = 300;
  const lease = await holder.leases.acquire("report", ttlMs);
  clock.aheadMs = hourMs;
  const until = performance.now() + 3 * ttlMs;
  await eventually(async () => {
    expect(await other.leases.acquire("report", ttlMs)).toBeNull();
    return performance.now() > until;
  });
  clock.aheadMs *= 2;
  expect(await other.leases.acquire("report", ttlMs)).toBeNull();
  expect(lease?.lost.aborted).toBe(false);
});

test("a lease that nobody renews is free in the end, though the process of its holder lives", async () => {
  const path = temporaryFile();
  const process = new SimulatedProcesses().start();
  const open = (): Promise<SqliteBroker> => openBroker(path, { internals: { liveness: process.liveness } });
  const [holder, other] = [await open(), await open()];
  await holder.leases.acquire("report", 100);
  // As a worker thread that is terminated.
  holder.abandon();
  await eventually(async () => (await other.leases.acquire("report", 100)) !== null, 2000);
});
