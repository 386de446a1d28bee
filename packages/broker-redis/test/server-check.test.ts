import { once } from "node:events";
import { connect as connectTo, createServer, type AddressInfo } from "node:net";
import { silentLogger } from "@q/core/broker";
import { RedisCluster, RedisServer, TestCertificates } from "@q/test-servers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { redis } from "../src/index.ts";
import type { RedisOptions } from "../src/options.ts";
import { startServer } from "./connecting.ts";
import { RecordingLogger } from "./recording-logger.ts";

const noLog = expect.stringContaining("no append-only file");

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: true });
});
afterAll(() => server.stop());

/** The warnings of a broker that opens. */
async function warningsOf(options: RedisOptions): Promise<readonly string[]> {
  const broker = redis(options);
  const logger = new RecordingLogger();
  onTestFinished(() => broker.close());
  await broker.open({ logger });
  return logger.warnings;
}

async function refusal(options: RedisOptions): Promise<unknown> {
  const broker = redis(options);
  const error: unknown = await broker.open({ logger: silentLogger }).catch((caught: unknown) => caught);
  expect(broker.connected).toBe(false);
  return error;
}

/** Another port of the server, on which it says that it has another version. */
async function withVersion(version: string): Promise<string> {
  const [, real = ""] = /redis_version:(\S+)/.exec(String(await server.command("info", "server"))) ?? [];
  // As long as the real one, so that the length in front of the reply stays true.
  const said = `redis_version:${version}`.padEnd(`redis_version:${real}`.length, "0");
  const proxy = createServer((client) => {
    const upstream = connectTo({ port: server.port, host: server.host });
    client.pipe(upstream);
    upstream.on("data", (data) =>
      client.write(data.toString("latin1").replace(`redis_version:${real}`, said), "latin1"),
    );
    client.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
    upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  onTestFinished(() => void proxy.close());
  // It listens on a port, not on a socket.
  return `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

test("a Redis that keeps what it is given is opened without a word", async () => {
  expect(await warningsOf({ url: server.url })).toEqual([]);
});

test("a Redis that logs no writes is opened with a warning", async () => {
  const own = await startServer();
  expect(await warningsOf({ url: own.url })).toEqual([noLog]);
});

describe("a Redis that evicts", () => {
  test.each(["allkeys-lru", "volatile-ttl"])(
    "is refused with %s, and taken with a warning when it must be",
    async (policy) => {
      const own = await startServer({ appendonly: true, args: ["--maxmemory-policy", policy] });
      expect(await refusal({ url: own.url })).toMatchObject({
        code: "Q1003",
        message: expect.stringContaining(policy),
        hint: expect.stringContaining("noeviction"),
      });
      expect(await warningsOf({ url: `${own.url}?allowEviction=true` })).toEqual([expect.stringContaining(policy)]);
    },
  );

  test("is refused as one master of a cluster, by its address", async () => {
    const cluster = await RedisCluster.start({ args: ["--appendonly", "yes"] });
    onTestFinished(() => cluster.stop());
    const [first, second] = cluster.nodes;
    if (first === undefined || second === undefined) throw new Error("expected nodes");
    const options: RedisOptions = { cluster: [`127.0.0.1:${first.port}`] };
    expect(await warningsOf(options)).toEqual([]);
    await second.command("config", "set", "maxmemory-policy", "allkeys-lru");
    expect(await refusal(options)).toMatchObject({
      code: "Q1003",
      message: expect.stringContaining(`127.0.0.1:${second.port}`),
    });
  });
});

describe("a server of another kind", () => {
  test("is refused as a replica", async () => {
    const replica = await startServer({ args: ["--replicaof", `127.0.0.1 ${server.port}`] });
    expect(await refusal({ url: replica.url })).toMatchObject({
      code: "Q1023",
      message: expect.stringContaining("replica"),
      hint: expect.stringContaining("redis+sentinel:"),
    });
  });

  test("is refused as a Sentinel", async () => {
    const sentinel = await startServer({ sentinel: [`sentinel monitor mymaster 127.0.0.1 ${server.port} 1`] });
    expect(await refusal({ url: sentinel.url })).toMatchObject({
      code: "Q1023",
      hint: expect.stringContaining("redis+sentinel:"),
    });
  });

  test("is refused as a node of a cluster", async () => {
    const node = await startServer({ args: ["--cluster-enabled", "yes"] });
    expect(await refusal({ url: node.url })).toMatchObject({
      code: "Q1023",
      hint: expect.stringContaining("redis+cluster:"),
    });
  });
});

test.each(["6.0.16", "6.1.99", "5.0.14"])("Redis %s is refused as too old", async (version) => {
  expect(await refusal({ url: await withVersion(version) })).toMatchObject({
    code: "Q1022",
    message: expect.stringContaining(`Redis ${version}`),
  });
});

test.each(["6.2.14", "7.4.0", "8.0.0", "10.0.1"])("Redis %s is taken", async (version) => {
  expect(await warningsOf({ url: await withVersion(version) })).toEqual([]);
});

test("a user who may not run INFO gets a warning that nothing could be checked", async () => {
  // ioredis says the same on the console.
  const console_ = vi.spyOn(console, "warn").mockReturnValue();
  onTestFinished(() => console_.mockRestore());
  const own = await startServer({
    acl: ["user default on nopass ~* &* +@all -info"],
    args: ["--maxmemory-policy", "allkeys-lru"],
  });
  expect(await warningsOf({ url: own.url })).toEqual([expect.stringContaining("INFO")]);
});

test("fewer replicas than each message needs are worth a warning", async () => {
  expect(await warningsOf({ url: server.url, replicas: 1 })).toEqual([expect.stringContaining("replicas")]);
});

test("that any certificate will do is worth a warning", async () => {
  const certificates = await TestCertificates.create();
  onTestFinished(() => certificates.remove());
  const own = await startServer({ appendonly: true, tls: { ...certificates.server, ca: certificates.ca } });
  expect(await warningsOf({ url: `${own.url}?insecure=true` })).toEqual([expect.stringContaining("certificate")]);
});
