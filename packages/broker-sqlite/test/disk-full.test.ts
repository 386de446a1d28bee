import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { PublishRejected, type Outcome } from "@q/core/broker";
import { expect, onTestFinished, test } from "vitest";
import type { SqliteBroker } from "../src/sqlite-broker.ts";
import { loadSqliteDriver } from "../src/sqlite-driver.ts";
import { MemoryLogger, message, openBroker, openRaw, take, temporaryFile, temporaryFolder } from "./temporary.ts";

const body = Buffer.alloc(10_000, "full ");

/** Sends until the disk is full; answers how many were confirmed, and why no more. */
async function fill(broker: SqliteBroker): Promise<{ readonly confirmed: number; readonly error: unknown }> {
  for (let confirmed = 0; ; confirmed += 10) {
    const batch = Array.from({ length: 10 }, (_, index) => message(`m${confirmed + index}`, { body }));
    try {
      await broker.publish(batch);
    } catch (error) {
      return { confirmed, error };
    }
  }
}

/** Each in its turn: what leaves the queue, and what stays in it. */
const outcomes: readonly Outcome[] = [
  { kind: "ack" },
  { kind: "bury", reason: { code: "failed", message: "broken" } },
  { kind: "requeue", delayMs: 60_000, headers: { task: "again" } },
];

/** A small disk of its own; `grow` gives it more room. `undefined` where this user may not mount. */
function smallDisk(folder: string, megabytes: number): { readonly grow: (megabytes: number) => void } | undefined {
  const mount = (options: string): boolean =>
    spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]).status === 0;
  if (!mount(`size=${megabytes}m`)) return undefined;
  onTestFinished(() => void spawnSync("umount", ["--lazy", folder]));
  return { grow: (to) => void mount(`remount,size=${to}m`) };
}

/** Takes what is left of the disk, to the last byte. */
function useUp(folder: string): void {
  const fd = openSync(join(folder, "filler"), "w");
  for (const size of [65_536, 4096, 1]) {
    const chunk = Buffer.alloc(size, 1);
    try {
      while (writeSync(fd, chunk) > 0);
    } catch {
      // Full, for chunks of this size.
    }
  }
  closeSync(fd);
}

test("on a full disk sending is refused, everything else goes on, and sending works again when there is room", async (context) => {
  const folder = temporaryFolder();
  const disk = smallDisk(folder, 24);
  if (disk === undefined) {
    context.skip("mounting a small file system is not permitted here; the test below limits the file instead");
    return;
  }
  const path = join(folder, "q.db");
  const logger = new MemoryLogger();
  const broker = await openBroker(path, { logger });
  const { confirmed, error } = await fill(broker);
  expect(error).toBeInstanceOf(PublishRejected);
  expect(error).toMatchObject({ code: "Q1006", message: `the disk that holds sqlite:${path} is full` });
  expect(confirmed).toBeGreaterThan(100);
  useUp(folder);

  // Another process that starts now finds its way, too.
  const other = await openBroker(path, { logger });
  for (let handled = 0; handled < confirmed; handled += 10) {
    const consumer = handled < 100 ? broker : other;
    const deliveries = await take(consumer, 10);
    const answers = deliveries.map((delivery, index) =>
      delivery.settle(outcomes[(handled + index) % 3] ?? { kind: "ack" }),
    );
    expect(new Set(await Promise.all(answers))).toEqual(new Set(["settled"]));
    await expect(consumer.publish([message("refused", { body })])).rejects.toMatchObject({ code: "Q1006" });
  }
  expect(existsSync(`${path}-ballast`)).toBe(false);
  expect(logger.lines.filter((line) => line.startsWith("error the disk is full"))).toHaveLength(1);

  disk.grow(48);
  await expect
    .poll(() => broker.publish([message("welcome")]).then(() => "sent", String), { timeout: 5000, interval: 100 })
    .toBe("sent");
  expect(existsSync(`${path}-ballast`)).toBe(true);
  expect(await broker.inspector.stats("default")).toMatchObject({
    ready: 1,
    delayed: Math.floor(confirmed / 3),
    inFlight: 0,
    dead: Math.floor((confirmed + 1) / 3),
  });
  expect((await openRaw(path)).prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
}, 60_000);

test("a file that may not grow any further refuses messages, and those in it are worked off", async () => {
  const path = temporaryFile();
  const real = await loadSqliteDriver();
  const driver = {
    name: real.name,
    open: (file: string) => {
      const database = real.open(file);
      database.exec("PRAGMA max_page_count = 800");
      return database;
    },
  };
  const broker = await openBroker(path, { internals: { driver } });
  const { confirmed, error } = await fill(broker);
  expect(error).toBeInstanceOf(PublishRejected);
  expect(error).toMatchObject({ code: "Q1006" });
  expect(confirmed).toBeGreaterThan(100);
  for (let left = confirmed; left > 0; left -= 50) {
    const deliveries = await take(broker, Math.min(50, left));
    const answers = await Promise.all(deliveries.map((delivery) => delivery.settle({ kind: "ack" })));
    expect(new Set(answers)).toEqual(new Set(["settled"]));
  }
  await broker.publish([message("welcome", { body })]);
});
