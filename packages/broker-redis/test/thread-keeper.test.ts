import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { silentLogger, type Delivery } from "@q/core/broker";
import type { RedisServer } from "@q/test-servers";
import { expect, onTestFinished, test } from "vitest";
import { queueKeys } from "../src/keys.ts";
import type { LeaseKeeper } from "../src/lease-keeper.ts";
import { readOptions, type Settings } from "../src/options.ts";
import { RedisBroker } from "../src/redis-broker.ts";
import { ThreadKeeper } from "../src/thread-keeper.ts";
import { startServer } from "./connecting.ts";
import { labelOf, message } from "./messages.ts";

const fixture = fileURLToPath(new URL("fixtures/blocked-by-the-first.mjs", import.meta.url));
const threadFile = new URL("../dist/lease-thread.js", import.meta.url);
const declared = [{ name: "default", priorities: false }];
/** Where nobody listens. */
const nowhere = readOptions({ url: "redis://127.0.0.1:1", timeout: "1s" });

function createBroker(settings: Settings, keeperSettings: () => Settings = () => settings): RedisBroker {
  const broker = new RedisBroker(settings, {
    startKeeper: (_forBroker, logger) => new ThreadKeeper(keeperSettings(), logger, threadFile),
  });
  onTestFinished(() => broker.close());
  return broker;
}

/** When the lease of the only consumer ends, by the time of Redis. */
async function endOfLease(server: RedisServer): Promise<number> {
  const { lease } = queueKeys("default", "");
  const [id] = (await server.command("ZRANGE", lease, 0, -1)) as string[];
  return Number(await server.command("ZSCORE", lease, id ?? ""));
}

test("a handler that blocks the event loop from the first task on keeps its lease", async () => {
  const server = await startServer();
  const sender = createBroker(readOptions({ url: server.url }));
  await sender.open({ logger: silentLogger });
  await sender.declare(declared);
  await sender.publish([message("a")]);
  const worker = spawn(process.execPath, [fixture, server.url], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(worker, "exit");
  onTestFinished(async () => {
    worker.kill("SIGKILL");
    await exited;
  });
  const [said] = (await once(worker.stdout, "data")) as [Buffer]; // a stream without encoding
  expect(String(said)).toBe("early\n");
  const leaseEnd = () => endOfLease(server);
  const first = await leaseEnd();
  await expect.poll(leaseEnd, { timeout: 20_000 }).toBeGreaterThan(first + 2000);
}, 30_000);

test("a consumer whose leases nobody can renew does not begin, gives back what it holds, and can be had later", async () => {
  const server = await startServer();
  const settings = readOptions({ url: server.url });
  let keeperSettings = nowhere;
  const broker = createBroker(settings, () => keeperSettings);
  await broker.open({ logger: silentLogger });
  await broker.declare(declared);
  await broker.publish([message("a")]);
  const arrived: string[] = [];
  const consume = () => broker.consume(["default"], { prefetch: 1 }, (delivery) => arrived.push(labelOf(delivery)));
  await expect(consume()).rejects.toMatchObject({ code: "Q1001" });
  expect(await server.command("LLEN", "default")).toBe(1);
  arrived.length = 0;
  keeperSettings = settings;
  await consume();
  await expect.poll(() => arrived).toEqual(["a"]);
});

test("a thread that is not up yet, or has failed, keeps nobody from closing", async () => {
  const starting = new ThreadKeeper(nowhere, silentLogger, threadFile);
  await starting.close();
  await expect(starting.ready).rejects.toMatchObject({ code: "Q1001" });
  const failed = new ThreadKeeper(nowhere, silentLogger, threadFile);
  await expect(failed.ready).rejects.toMatchObject({ code: "Q1001" });
  await failed.close();
});

test("while whoever is to renew leases is not ready, they are renewed all the same", async () => {
  const server = await startServer();
  let becomeReady = (): void => undefined;
  const kept: string[] = [];
  const late: LeaseKeeper = {
    ready: new Promise((resolve) => (becomeReady = resolve)),
    keep: ({ id }) => void kept.push(id),
    forget: () => undefined,
    close: () => Promise.resolve(),
  };
  const settings = { ...readOptions({ url: server.url }), leaseMs: 600 };
  const broker = new RedisBroker(settings, { startKeeper: () => late });
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  await broker.declare(declared);
  await broker.publish([message("a")]);
  const arrived: Delivery[] = [];
  const consuming = broker.consume(["default"], { prefetch: 1 }, (delivery) => arrived.push(delivery));
  const leaseEnd = () => endOfLease(server);
  await expect.poll(() => arrived.length).toBe(1);
  const first = await leaseEnd();
  // Three times as long as one that nobody renews would last.
  await expect.poll(leaseEnd, { timeout: 10_000 }).toBeGreaterThan(first + 1800);
  becomeReady();
  await consuming;
  expect(kept).toHaveLength(1);
  expect(await arrived[0]?.settle({ kind: "ack" })).toBe("settled");
});
