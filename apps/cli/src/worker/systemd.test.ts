import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp, type LogFields, type Logger, type Worker, type WorkerEvent } from "@q/core";
import { memoryBroker } from "@q/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { Systemd } from "./systemd.ts";

type Env = Record<string, string | undefined>;

interface Unit {
  readonly env: Env;
  readonly logger: Logger;
  /** What the program was called with, one call a line. */
  readonly told: () => readonly string[];
  readonly warnings: readonly string[];
}

/** An environment as systemd makes it, with a program that writes down what it is called with and ends as `ending` says. */
function unit(variables: Env, ending = "exit 0"): Unit {
  const folder = mkdtempSync(join(tmpdir(), "q-systemd-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const record = join(folder, "told");
  writeFileSync(record, "");
  const program = join(folder, "systemd-notify");
  writeFileSync(program, `#!/bin/sh\necho "$NOTIFY_SOCKET" "$@" >> '${record}'\n${ending}\n`);
  chmodSync(program, 0o755);
  const warnings: string[] = [];
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: (_fields: LogFields, message: string) => void warnings.push(message),
    error: () => {},
    child: () => logger,
  };
  const told = (): string[] => readFileSync(record, "utf8").split("\n").slice(0, -1);
  return { env: { PATH: folder, NOTIFY_SOCKET: "/run/notify", ...variables }, logger, told, warnings };
}

function follow(systemd: Systemd | undefined): Worker {
  const app = createApp({ broker: memoryBroker(), queues: ["one"] });
  const listeners: ((event: WorkerEvent) => void)[] = [];
  const worker = app.createWorker({ concurrency: 3, onEvent: (event) => listeners.forEach((listen) => listen(event)) });
  if (systemd !== undefined) listeners.push(systemd.follow(worker));
  onTestFinished(async () => {
    await worker.stop();
    await app.close();
    await systemd?.close();
  });
  return worker;
}

const idle = "STATUS=0 of 3 slots busy, 0 tasks done";

test("a worker tells that it is ready, that it pauses, and that it stops, in this order", async () => {
  const { env, logger, told } = unit({});
  const systemd = Systemd.join(env, logger);
  const worker = follow(systemd);
  await worker.start();
  await worker.pause();
  await worker.resume();
  await worker.stop();
  await systemd?.close();
  expect(told()).toEqual([
    `/run/notify READY=1 ${idle}`,
    "/run/notify STATUS=paused: 0 of 3 slots busy, 0 tasks done",
    `/run/notify ${idle}`,
    "/run/notify STOPPING=1 STATUS=stopping: 0 of 3 slots busy, 0 tasks done",
  ]);
});

test("the watchdog is fed while the subject is live, and not when it no longer is", async () => {
  const { env, logger, told } = unit({ WATCHDOG_USEC: "20000", WATCHDOG_PID: String(process.pid) });
  const systemd = Systemd.join(env, logger);
  onTestFinished(() => systemd?.close());
  let isLive = true;
  let asked = 0;
  const subject = { isLive: () => (asked += 1) > 0 && isLive, status: () => "fine" };
  systemd?.ready(subject);
  const feedings = (): number => told().filter((line) => line === "/run/notify WATCHDOG=1 STATUS=fine").length;
  await expect.poll(feedings).toBeGreaterThanOrEqual(2);
  isLive = false;
  const [askedBefore, fedBefore] = [asked, feedings()];
  // One feeding may have been on its way.
  await expect.poll(() => asked).toBeGreaterThan(askedBefore + 10);
  expect(feedings()).toBeLessThanOrEqual(fedBefore + 1);
});

test("a worker that has failed feeds it no longer", async () => {
  const watched = { WATCHDOG_USEC: "20000" };
  const [healthy, failed] = [unit(watched), unit(watched)];
  const stats = (): ReturnType<Worker["stats"]> => ({ busy: 0, finished: 0, startedAt: 0 });
  const worker = { state: "running", concurrency: 3, stats } as const;
  for (const [{ env, logger }, failing] of [
    [failed, Promise.resolve(new Error("the broker is silent"))],
    [healthy, new Promise<Error>(() => {})],
  ] as const) {
    const systemd = Systemd.join(env, logger);
    onTestFinished(() => systemd?.close());
    const onEvent = systemd?.follow({ ...worker, failed: failing });
    onEvent?.({ type: "worker.ready", worker: "w1", queues: [], slots: 3, tasks: [] });
  }
  await expect.poll(healthy.told).toContain(`/run/notify WATCHDOG=1 ${idle}`);
  await expect.poll(failed.told).toEqual([`/run/notify READY=1 ${idle}`]);
});

test("a watchdog that is meant for another process is not fed", async () => {
  const { env, logger, told } = unit({ WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" });
  const systemd = Systemd.join(env, logger);
  let asked = 0;
  systemd?.ready({ isLive: () => (asked += 1) > 0, status: () => "fine" });
  await expect.poll(told).toHaveLength(1);
  await systemd?.close();
  expect(asked).toBe(0);
});

test("the variables are gone for what the process starts, and without them nobody is told", () => {
  const { env, logger } = unit({ WATCHDOG_USEC: "1000" });
  expect(Systemd.join(env, logger)).toBeDefined();
  expect(Object.keys(env)).toEqual(["PATH"]);
  expect(Systemd.join(env, logger)).toBeUndefined();
});

test("a program that is not there is one warning, and the worker goes on", async () => {
  const { env, logger, warnings } = unit({ WATCHDOG_USEC: "1000", PATH: "/nowhere" });
  const systemd = Systemd.join(env, logger);
  const worker = follow(systemd);
  await worker.start();
  await worker.stop();
  await systemd?.close();
  expect(warnings).toEqual([
    "there is no systemd-notify on the PATH: systemd is told nothing, and ends a unit of Type=notify",
  ]);
});

test("a program that fails is warned of once, and tried again", async () => {
  const { env, logger, told, warnings } = unit({}, "exit 1");
  const systemd = Systemd.join(env, logger);
  systemd?.ready({ isLive: () => true, status: () => "fine" });
  systemd?.stopping();
  await systemd?.close();
  expect(told()).toHaveLength(2);
  expect(warnings).toEqual(["systemd-notify failed: systemd may not know how this worker is"]);
});
