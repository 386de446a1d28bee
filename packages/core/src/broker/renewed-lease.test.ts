import { expect, test } from "vitest";
import { silentLogger, type Logger } from "../logger.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { RenewedLease } from "./renewed-lease.ts";

const ttlMs = 3000;

/** A store that does as it is told, and a lease in it. */
function setUp(renewals: readonly (boolean | Error | Promise<boolean>)[] = []) {
  const clock = new FakeClock();
  const log: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_fields, text) => void log.push(text) };
  let asked = 0;
  const lease = new RenewedLease({
    name: "l",
    fence: 1,
    ttlMs,
    heldSince: clock.monotonic(),
    renew: async () => {
      log.push(`renew at ${clock.monotonic()}`);
      const answer = renewals[asked++] ?? true;
      if (answer instanceof Error) throw answer;
      return await answer;
    },
    free: async () => void log.push("free"),
    onEnd: () => void log.push("end"),
    clock,
    logger,
  });
  return { clock, lease, log };
}

test("a lease is renewed each third of its time, until it is released", async () => {
  const { clock, lease, log } = setUp();
  await clock.advance(3 * ttlMs);
  expect(log).toEqual(Array.from({ length: 9 }, (_, index) => `renew at ${(index + 1) * 1000}`));
  expect(lease.lost.aborted).toBe(false);
  log.length = 0;
  await lease.release();
  await lease.release();
  await clock.advance(ttlMs);
  expect(log).toEqual(["end", "free"]);
  expect(lease.lost.aborted).toBe(false);
});

test("a renewal that fails is tried again, and what it fails with is no end", async () => {
  const { clock, lease, log } = setUp([new Error("away"), new Error("away")]);
  await clock.advance(ttlMs - 50);
  expect(log.filter((line) => line.startsWith("renew at"))).toEqual([
    "renew at 1000",
    "renew at 1300",
    "renew at 1600",
    "renew at 2600",
  ]);
  expect(lease.lost.aborted).toBe(false);
});

test("a lease that somebody else has is lost, and his is left alone", async () => {
  const { clock, lease, log } = setUp([false]);
  await clock.advance(ttlMs);
  expect(lease.lost.aborted).toBe(true);
  expect(log).toEqual(["renew at 1000", "end"]);
});

test("a lease ends a little before its time is over, also while its renewal is on the way, and others may have it", async () => {
  let answer: (isOurs: boolean) => void = () => undefined;
  const { clock, lease, log } = setUp([new Promise((resolve) => (answer = resolve))]);
  await clock.advance(ttlMs - 50);
  expect(lease.lost.aborted).toBe(false);
  // Long enough for a timer that is late, and a date that the store has cut to whole milliseconds.
  await clock.advance(40);
  expect(lease.lost.aborted).toBe(true);
  answer(true);
  await clock.advance(ttlMs);
  expect(log).toEqual(["renew at 1000", "end", "free"]);
});
