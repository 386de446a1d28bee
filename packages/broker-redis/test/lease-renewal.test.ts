import { silentLogger, systemClock, systemLiveness } from "@q/core/broker";
import type { RedisServer } from "@q/test-servers";
import { expect, onTestFinished, test } from "vitest";
import { queueKeys } from "../src/keys.ts";
import { OpenBroker } from "../src/open-broker.ts";
import { startServer } from "./connecting.ts";
import { endOfLease } from "./end-of-lease.ts";
import { noThread, testSettings } from "./redis-harness.ts";

const leaseMs = 600;
const { lease } = queueKeys("default", "");

/** Whose leases no thread renews. */
async function openBroker(server: RedisServer, startKeeper = () => noThread): Promise<OpenBroker> {
  const settings = { ...testSettings(server.url, ""), leaseMs };
  const internals = { clock: systemClock, liveness: systemLiveness(), startKeeper };
  const broker = await OpenBroker.open(settings, internals, silentLogger);
  onTestFinished(() => broker.close());
  await broker.store.queues.declare(broker.store.connection, [{ name: "default", priorities: false }]);
  return broker;
}

function consume(broker: OpenBroker): Promise<unknown> {
  return broker.consume(["default"], { prefetch: 1 }, () => undefined);
}

const slowly = { timeout: 20_000 };

/** Three times as long as one that nobody renews from now on would last. */
async function threeLeasesOn(server: RedisServer): Promise<number> {
  return (await endOfLease(server)) + 3 * leaseMs;
}

test("while the event loop turns, leases are renewed without a thread", async () => {
  const server = await startServer();
  await consume(await openBroker(server));
  const later = await threeLeasesOn(server);
  await expect.poll(() => endOfLease(server), slowly).toBeGreaterThan(later);
});

test("leases are renewed while the connection for messages is busy for longer than a lease", async () => {
  const server = await startServer();
  const broker = await openBroker(server);
  await consume(broker);
  const busy = broker.store.connection.call("blpop", "nothing comes here", 0).catch(() => "ended");
  const later = await threeLeasesOn(server);
  await expect.poll(() => endOfLease(server), slowly).toBeGreaterThan(later);
  await broker.close();
  expect(await busy).toBe("ended");
});

test("a consumer whose leases nobody can renew does not begin, and can be had later", async () => {
  const server = await startServer();
  const broker = await openBroker(server);
  const { connection } = broker.store;
  const clients = String(await connection.call("client", "list"))
    .trim()
    .split("\n").length;
  await connection.call("config", "set", "maxclients", clients);
  await expect(consume(broker)).rejects.toHaveProperty("code", "Q1001");
  expect(await connection.call("zcard", lease)).toBe(0);
  await connection.call("config", "set", "maxclients", clients + 10);
  await consume(broker);
  expect(await connection.call("zcard", lease)).toBe(1);
});

test("a consumer for which no thread can be had does not begin, leaves no connection, and can be had later", async () => {
  const server = await startServer();
  let hasRoom = false;
  const broker = await openBroker(server, () => {
    if (hasRoom) return noThread;
    throw new Error("no room for a thread");
  });
  const connections = async (): Promise<number> =>
    String(await broker.store.connection.call("client", "list"))
      .split("\n")
      .filter((line) => line.includes(" name=q ")).length;
  const before = await connections();
  await expect(consume(broker)).rejects.toThrow("no room for a thread");
  await expect.poll(connections, slowly).toBe(before);
  hasRoom = true;
  await consume(broker);
  expect(await broker.store.connection.call("zcard", lease)).toBe(1);
});
