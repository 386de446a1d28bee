import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis, type RedisOptions } from "ioredis";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { isInstalled, RedisServer, TestCertificates, type RedisServerOptions } from "../src/index.ts";
import { until } from "../src/until.ts";

beforeEach(({ skip }) => {
  skip(!isInstalled("redis-server"), "no Redis here: apt-get install redis-server");
});

async function startServer(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  onTestFinished(() => server.stop());
  return server;
}

/** A client as an application has it, that does not come back by itself. */
function client(
  url: string,
  options: Pick<RedisOptions, "commandTimeout" | "username" | "password" | "tls"> = {},
): Redis {
  const redis = new Redis(url, { ...options, retryStrategy: () => null, enableReadyCheck: false });
  redis.on("error", () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "q-given-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a started server takes commands on its port, and it is the one that was started", async () => {
  const server = await startServer();
  expect(await client(server.url).info("server")).toContain(`process_id:${server.pid}\r\n`);
  expect(await server.command("CONFIG", "GET", "save")).toEqual(["save", ""]);
});

test("two servers do not get in each other's way", async () => {
  const servers = await Promise.all([startServer(), startServer()]);
  await Promise.all(servers.map((server, index) => client(server.url).set("whose", index)));
  expect(await Promise.all(servers.map((server) => server.command("GET", "whose")))).toEqual(["0", "1"]);
});

test("a killed server refuses connections until it is restarted on the same port, and is empty then", async () => {
  const server = await startServer();
  const { port, pid } = server;
  await server.command("SET", "key", "value");
  await server.kill();
  expect(isAlive(pid)).toBe(false);
  await expect(once(connect(port, "127.0.0.1"), "connect")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await server.restart();
  expect(server.port).toBe(port);
  expect(server.pid).not.toBe(pid);
  expect(await client(server.url).get("key")).toBeNull();
});

test("with appendonly the data is there again after a kill", async () => {
  const server = await startServer({ appendonly: true, args: ["--appendfsync", "always"] });
  await server.command("SET", "key", "value");
  await server.kill();
  await server.restart();
  expect(await server.command("GET", "key")).toBe("value");
});

test("a frozen server does not answer, and does so on the same connection when it is thawed", async () => {
  const server = await startServer();
  const redis = client(server.url, { commandTimeout: 300 });
  const id = await redis.client("ID");
  server.freeze();
  await expect(redis.ping()).rejects.toThrow(/timed out/);
  server.thaw();
  expect(await redis.client("ID")).toBe(id);
});

test("a frozen server can be killed, and can be stopped gracefully", async () => {
  const dir = temporaryFolder();
  const server = await startServer({ dir });
  const farewell = "Redis is now ready to exit";
  server.freeze();
  await server.kill();
  expect(readFileSync(server.logFile, "utf8")).not.toContain(farewell);
  await server.restart();
  server.freeze();
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
  expect(readFileSync(server.logFile, "utf8")).toContain(farewell);
});

test("a stopped server leaves nothing behind, and may be stopped twice", async () => {
  const server = await startServer();
  expect(existsSync(server.dir)).toBe(true);
  await server.stop();
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
  expect(existsSync(server.dir)).toBe(false);
});

test("a folder that was given is kept, with the data in it", async () => {
  const dir = temporaryFolder();
  const first = await startServer({ dir, appendonly: true });
  await first.command("SET", "key", "value");
  await first.stop();
  expect(readdirSync(dir)).toContain("appendonlydir");
  const second = await startServer({ dir, appendonly: true });
  expect(await second.command("GET", "key")).toBe("value");
});

test("a server that does not start says why", async () => {
  await expect(RedisServer.start({ args: ["--maxmemory", "much"] })).rejects.toThrow(/argument must be a memory value/);
});

test("a port that was asked for and is taken is an error, not somebody else's server", async () => {
  const other = await startServer();
  await expect(RedisServer.start({ port: other.port })).rejects.toThrow(/Address already in use/);
  expect(await other.command("PING")).toBe("PONG");
});

test("commands go on after all clients were disconnected", async () => {
  const server = await startServer();
  await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no");
  expect(await server.command("PING")).toBe("PONG");
});

test("an ACL binds clients and not the test", async () => {
  const server = await startServer({ acl: ["user default off", "user alice on >secret ~q:* +set +get"] });
  await expect(client(server.url).ping()).rejects.toThrow(/NOAUTH/);
  const alice = client(server.url, { username: "alice", password: "secret" });
  expect(await alice.set("q:key", "value")).toBe("OK");
  await expect(alice.set("key", "value")).rejects.toThrow(/NOPERM/);
  expect(await server.command("ACL", "WHOAMI")).not.toBe("default");
});

test("a server with TLS wants a certificate from its clients when told so", async ({ skip }) => {
  skip(!isInstalled("openssl"), "no openssl here: apt-get install openssl");
  const certificates = await TestCertificates.create();
  onTestFinished(() => certificates.remove());
  const ca = readFileSync(certificates.ca);
  const { cert, key } = certificates.client;
  const server = await startServer({ tls: { ...certificates.server, ca: certificates.ca, clientCertificates: true } });
  expect(server.url).toMatch(/^rediss:/);
  await expect(client(server.url, { tls: { ca } }).ping()).rejects.toThrow(/closed/);
  const visitor = client(server.url, { tls: { ca, cert: readFileSync(cert), key: readFileSync(key) } });
  expect(await visitor.ping()).toBe("PONG");
  expect(await server.command("PING")).toBe("PONG");
});

test("a server and its folder go with the process that started it, even one that is killed", async () => {
  const keeper = spawn(process.execPath, [join(import.meta.dirname, "fixtures/keeper.mjs")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void keeper.kill("SIGKILL"));
  const [line] = (await once(keeper.stdout, "data")) as [Buffer];
  const { pid, dir } = JSON.parse(line.toString()) as { pid: number; dir: string };
  expect(isAlive(pid)).toBe(true);
  expect(existsSync(dir)).toBe(true);
  keeper.kill("SIGKILL");
  await until("server and folder are gone", 10_000, async () => !isAlive(pid) && !existsSync(dir));
});
