import { silentLogger, systemClock, type Clock, type Liveness, type ProcessIdentity } from "@q/core/broker";
import { expect, onTestFinished, test, vi } from "vitest";
import { Beats } from "../src/beats.ts";
import { processName } from "../src/process-name.ts";
import { startServer } from "./connecting.ts";
import { testSettings } from "./redis-harness.ts";
import { Place, pushes } from "./scripts-place.ts";

const own: ProcessIdentity = { pid: 11, startedAt: "100", bootId: "boot", pidNamespace: "pid:[1]" };
const neighbour: ProcessIdentity = { ...own, pid: 12 };
/** As a worker that was started again may have it. */
const predecessor: ProcessIdentity = { ...own, startedAt: "50" };
const elsewhere: ProcessIdentity = { ...own, pid: 13, bootId: "another boot" };

const idOf = (process: ProcessIdentity): string => `consumer@${processName(process)}`;

interface Watch {
  readonly place: Place;
  readonly beats: Beats;
  /** Who was looked at. */
  readonly seen: ProcessIdentity[];
  readonly dead: Set<string>;
  /** Lengths of the timers that were set. Milliseconds. */
  readonly timers: number[];
}

/** Beats of a queue in which each of the others holds a message. */
async function watch(...others: readonly ProcessIdentity[]): Promise<Watch> {
  const server = await startServer();
  const place = await Place.open(server);
  await place.publish(...pushes(others.length));
  for (const other of others) {
    await place.enter(idOf(other));
    await place.claim(idOf(other), 1);
  }
  await place.enter(idOf(own));
  const [seen, dead, timers]: [ProcessIdentity[], Set<string>, number[]] = [[], new Set(), []];
  const liveness: Liveness = {
    own,
    check: (process) => {
      seen.push(process);
      return dead.has(idOf(process)) ? "dead" : "alive";
    },
  };
  const clock: Clock = {
    ...systemClock,
    setTimer: (delayMs, ...rest) => {
      timers.push(delayMs);
      return systemClock.setTimer(delayMs, ...rest);
    },
  };
  // None but the first beat comes in the time of a test.
  const settings = { ...testSettings(server.url, ""), leaseMs: 600_000 };
  const beats = new Beats({ connection: place.connection, settings, clock, logger: silentLogger, liveness });
  onTestFinished(() => beats.close());
  beats.keep({ queue: place.keys.queue, id: idOf(own) }, () => undefined);
  await beats.beatNow();
  return { place, beats, seen, dead, timers };
}

test("who is alone on its machine looks at nobody, and sleeps until the next beat", async () => {
  const { seen, timers } = await watch(elsewhere);
  expect(seen).toEqual([]);
  expect(timers).toEqual([100_000]);
});

test("a neighbour that dies between two beats is seen, and what it held goes to others", async () => {
  const { place, seen, dead } = await watch(neighbour);
  expect(await place.ready()).toEqual([]);
  const looks = seen.length;
  // It goes on to look.
  await vi.waitFor(() => expect(seen.length).toBeGreaterThan(looks + 1), 5000);
  dead.add(idOf(neighbour));
  await vi.waitFor(async () => expect(await place.ready()).toEqual(["1"]), 5000);
});

test("one that had the same number before is not taken for oneself", async () => {
  const { seen } = await watch(predecessor);
  expect(seen).toEqual([predecessor]);
});
