import { silentLogger, systemClock, systemLiveness, type Delivery } from "@q/core/broker";
import { TcpProxy, type RedisServer } from "@q/test-servers";
import { expect, onTestFinished, test } from "vitest";
import { queueKeys } from "../src/keys.ts";
import { OpenBroker } from "../src/open-broker.ts";
import type { Settings } from "../src/options.ts";
import { startServer } from "./connecting.ts";
import { endOfLease } from "./end-of-lease.ts";
import { message } from "./messages.ts";
import { noThread, testSettings } from "./redis-harness.ts";

const leaseMs = 600;
const { lease } = queueKeys("default", "");

/** Whose leases no thread renews. */
async function openBroker(
  { port }: Pick<RedisServer, "port">,
  changes: Partial<Settings> = {},
  startKeeper = () => noThread,
): Promise<OpenBroker> {
  const settings = { ...testSettings(`redis://127.0.0.1:${port}`, ""), leaseMs, ...changes };
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
  const broker = await openBroker(server, {}, () => {
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

test("a connection that is gone without a word is replaced before the leases end that are renewed on it", async () => {
  const server = await startServer();
  const proxy = await TcpProxy.start(server);
  onTestFinished(() => proxy.stop());
  const patience = { leaseMs: 3000, timeoutMs: 5000 };
  const [worker, onlooker] = [await openBroker(proxy, patience), await openBroker(server, patience)];
  const held: Delivery[] = [];
  await worker.consume(["default"], { prefetch: 1 }, (delivery) => void held.push(delivery));
  await onlooker.publisher.publish([message("a")]);
  await expect.poll(() => held).toHaveLength(1);
  const [id] = (await server.command("zrange", lease, 0, -1)) as [string]; // what ZRANGE answers
  const endOfIts = async (): Promise<number> => Number(await server.command("zscore", lease, id));
  // Whoever beats buries those whose lease has ended.
  await consume(onlooker);
  proxy.dropReplies();
  const before = await endOfIts();
  await expect.poll(endOfIts, slowly).toBeGreaterThan(before);
  // The connection is silent from now on, and the next one is not.
  proxy.dropReplies({ probability: 0 });
  const silentSince = await endOfIts();
  await expect.poll(endOfIts, slowly).not.toBe(silentSince);
  expect(await endOfIts()).toBeGreaterThan(silentSince);
  expect(held[0]?.lost.aborted).toBe(false);
});
