import { existsSync, rmSync } from "node:fs";
import { silentLogger, systemClock, type Clock, type Timer } from "@q/core/broker";
import { FakeClock } from "@q/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { MemoryLogger, eventually, openRaw, temporaryFile } from "../test/temporary.ts";
import { Bell, type BellOptions } from "./bell.ts";
import { Connection } from "./connection.ts";
import { loadSqliteDriver } from "./sqlite-driver.ts";

/** Longer than any of these tests: what comes, came from the bell. */
const never = 60_000;

async function bellOn(path: string, changes: Partial<BellOptions> = {}): Promise<Bell> {
  const base = { clock: systemClock, logger: silentLogger };
  const driver = await loadSqliteDriver();
  const connection = await Connection.open({ path, address: "sqlite:q.db", driver, lockTimeoutMs: 500, ...base });
  const bell = new Bell({ path: `${path}-bell`, connection, safetyPollMs: never, ...base, ...changes });
  onTestFinished(() => {
    bell.close();
    connection.close();
  });
  return bell;
}

function countRings(bell: Bell): { readonly count: () => number; readonly stop: () => void } {
  let rings = 0;
  const stop = bell.listen(() => {
    rings += 1;
  });
  return { count: () => rings, stop };
}

test("a ring is heard in the same process at once, and in others soon", async () => {
  const path = temporaryFile();
  const [here, there] = [await bellOn(path), await bellOn(path)];
  const [near, far] = [countRings(here), countRings(there)];
  here.ring();
  expect(near.count()).toBe(1);
  await eventually(() => far.count() > 0);
});

test("who no longer listens hears nothing", async () => {
  const bell = await bellOn(temporaryFile());
  const rings = countRings(bell);
  rings.stop();
  bell.ring();
  expect(rings.count()).toBe(0);
});

test("the bell works again after somebody deleted its file", async () => {
  const path = temporaryFile();
  const listener = await bellOn(path);
  const rings = countRings(listener);
  rmSync(`${path}-bell`);
  await eventually(() => rings.count() > 0);
  const before = rings.count();
  (await bellOn(path)).ring();
  await eventually(() => rings.count() > before);
});

test("who rang before the file was deleted is heard again soon", async () => {
  const path = temporaryFile();
  const clock = new FakeClock();
  const ringer = await bellOn(path, { clock });
  ringer.ring();
  const rings = countRings(await bellOn(path));
  rmSync(`${path}-bell`);
  await eventually(() => rings.count() > 0 && existsSync(`${path}-bell`));
  const before = rings.count();
  await clock.advance(100);
  ringer.ring();
  await eventually(() => rings.count() > before);
});

test("a change that nobody rang for is noticed by the safety poll", async () => {
  const path = temporaryFile();
  const bell = await bellOn(path, { safetyPollMs: 20 });
  const rings = countRings(bell);
  await eventually(() => rings.count() > 0);
  const before = rings.count();
  (await openRaw(path)).exec("INSERT INTO queue (name) VALUES ('by hand')");
  await eventually(() => rings.count() > before);
});

test("where files cannot be watched it polls, and says so", async () => {
  const path = temporaryFile();
  const logger = new MemoryLogger();
  // A folder that is not there stands for a system that has no watches left.
  const bell = await bellOn(path, { path: `${path}/not/there`, logger });
  const rings = countRings(bell);
  expect(logger.lines).toEqual(["warn cannot watch for new messages; polling instead"]);
  await eventually(() => rings.count() > 0);
  const before = rings.count();
  (await openRaw(path)).exec("INSERT INTO queue (name) VALUES ('by hand')");
  await eventually(() => rings.count() > before, 1000);
});

test("who stops listening when it hears something is not polled for any more", async () => {
  const fake = new FakeClock();
  const waiting = new Set<Timer>();
  const clock: Clock = {
    now: () => fake.now(),
    monotonic: () => fake.monotonic(),
    setTimer(delayMs, callback) {
      const timer = fake.setTimer(delayMs, () => {
        waiting.delete(timer);
        callback();
      });
      waiting.add(timer);
      return {
        cancel() {
          waiting.delete(timer);
          timer.cancel();
        },
      };
    },
  };
  const bell = await bellOn(temporaryFile(), { clock, safetyPollMs: 1000 });
  let rings = 0;
  const stop = bell.listen(() => {
    rings += 1;
    stop();
  });
  await fake.advance("1s");
  expect(rings).toBe(1);
  expect(waiting.size).toBe(0);
});
