import { inspect } from "node:util";
import { silentLogger } from "@q/core/broker";
import { freePort, RedisServer, TestCertificates } from "@q/test-servers";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { redis } from "../src/index.ts";
import { readOptions, type RedisOptions } from "../src/options.ts";
import { ThreadKeeper } from "../src/thread-keeper.ts";
import { blockUntil } from "./blocked-loop.ts";
import { startServer } from "./connecting.ts";
import { message } from "./messages.ts";
import { RecordingLogger } from "./recording-logger.ts";
import { createBroker } from "./redis-harness.ts";

/** Stands for every password, and for what messages say. */
const canary = "c4n4ry-0f-th3-t3sts";
const login = { username: "app", password: canary };

let server: RedisServer;
let certificates: TestCertificates;
beforeAll(async () => {
  [server, certificates] = await Promise.all([RedisServer.start(), TestCertificates.create()]);
});
afterAll(() => Promise.all([server.stop(), certificates.remove()]));

/** What went to the console, where ioredis speaks. */
const printed: unknown[][] = [];
beforeEach(() => {
  printed.length = 0;
  const spies = (["log", "info", "warn", "error", "debug"] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((...words: unknown[]) => void printed.push(words)),
  );
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
});

/** Everything that a person or a log could be shown of it. */
function shown(...things: readonly unknown[]): string {
  const views = things.map((thing) => [
    inspect(thing, { depth: Infinity, showHidden: true, maxStringLength: Infinity, maxArrayLength: Infinity }),
    JSON.stringify(thing),
    thing instanceof Error ? thing.stack : "",
  ]);
  return JSON.stringify([views, printed]);
}

/** The error of a broker that cannot be opened, once nothing that it shows or logs holds the password. */
async function refusal(options: RedisOptions): Promise<unknown> {
  const broker = redis({ timeout: "2s", ...options });
  const logger = new RecordingLogger();
  const error: unknown = await broker.open({ logger }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Error);
  expect(shown(error, broker, logger.lines)).not.toContain(canary);
  return error;
}

test("the canary would be found", () => {
  expect(shown(Object.assign(new Error("x"), { command: { args: [canary] } }))).toContain(canary);
  expect(shown(new Error("x", { cause: new Error(canary) }))).toContain(canary);
});

test("a login that is refused does not show the password", async () => {
  const own = await startServer({ acl: ["user default on >another ~* &* +@all"] });
  const { port } = own;
  for (const options of [
    { url: `redis://:${canary}@127.0.0.1:${port}` },
    { url: `redis://app:${canary}@127.0.0.1:${port}/0` },
    { url: `redis://127.0.0.1:${port}`, ...login },
    { url: `redis+socket://${own.unixSocket}?password=${canary}` },
    { cluster: [`127.0.0.1:${port}`], ...login },
    { url: `redis+sentinel://127.0.0.1:${port}/mymaster?sentinelPassword=${canary}` },
  ])
    expect(await refusal(options)).toMatchObject({ code: "Q1002" });
});

test("a server that repeats the command that it does not know does not show the password", async () => {
  const own = await startServer({ args: ["--rename-command", "AUTH", ""] });
  expect(await refusal({ url: own.url, ...login })).toMatchObject({
    message: expect.stringMatching(/\(ERR unknown command 'auth'\)$/i),
  });
});

test("a server that cannot be reached does not show the password", async () => {
  const place = `127.0.0.1:${await freePort()}`;
  for (const options of [
    { url: `redis://app:${canary}@${place}/0` },
    { url: `redis://app:${canary}@redis.invalid` },
    { url: `redis+socket:///nowhere.sock?password=${canary}` },
    { url: `redis+cluster://app:${canary}@${place}` },
    { url: `redis+sentinel://app:${canary}@${place}/mymaster/0?sentinelPassword=${canary}` },
  ])
    expect(await refusal(options)).toMatchObject({ code: "Q1001" });
});

test("Sentinels that are there do not show the password of a server that is not, nor theirs", async () => {
  const sentinel = await startServer({
    acl: [`user default on >${canary} ~* &* +@all`],
    sentinel: [`sentinel monitor mymaster 127.0.0.1 ${await freePort()} 1`],
  });
  const place = { sentinels: [`127.0.0.1:${sentinel.port}`], ...login, sentinelPassword: canary };
  expect(await refusal({ ...place, master: "mymaster" })).toMatchObject({ code: "Q1001" });
  expect(await refusal({ ...place, master: "another" })).toMatchObject({ code: "Q1023" });
});

test("an encrypted connection that fails shows neither the password nor the key", async () => {
  const own = await startServer({ tls: { ...certificates.server, ca: certificates.ca, clientCertificates: true } });
  const key = `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----`;
  for (const changes of [
    {},
    { ca: certificates.ca },
    { ca: certificates.ca, cert: certificates.client.cert, key },
    { ca: certificates.ca, cert: certificates.client.cert, key: `no file, but the key ${canary}` },
  ])
    expect(await refusal({ url: own.url, ...login, ...changes })).toHaveProperty("hint");
});

test("the thread that renews leases does not show the password when it cannot log in", async () => {
  const own = await startServer({ acl: ["user default on >another ~* &* +@all"] });
  const logger = new RecordingLogger();
  const thread = new URL("../dist/lease-thread.js", import.meta.url);
  const keeper = new ThreadKeeper(readOptions({ url: own.url, ...login, lease: "1s" }), logger, thread);
  onTestFinished(() => keeper.close());
  keeper.keep({ queue: "default", id: "a" }, () => undefined);
  await blockUntil(() => logger.warnings.length > 0);
  expect(logger.warnings).toEqual(["no lease is renewed while the event loop is blocked; trying again"]);
  expect(shown(logger.lines)).not.toContain(canary);
});

test("a password that is no longer taken is not shown by the broker that lost its connection", async () => {
  const own = await startServer({ acl: [`user default on >${canary} ~* &* +@all`] });
  const broker = createBroker(readOptions({ url: own.url, password: canary, timeout: "500ms" }));
  onTestFinished(() => broker.close());
  const logger = new RecordingLogger();
  await broker.open({ logger });
  await broker.declare([{ name: "default", priorities: false }]);
  await own.command("ACL", "SETUSER", "default", "resetpass", ">another");
  await own.command("CLIENT", "KILL", "TYPE", "normal");
  await expect
    .poll(() => logger.lines.filter(({ level }) => level === "warn").at(-1)?.fields)
    .toMatchObject({
      reason: expect.stringContaining("WRONGPASS"),
    });
  const error: unknown = await broker.publish([message("a")]).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: "Q1002" });
  expect(shown(error, broker, logger.lines)).not.toContain(canary);
});

test("commands that fail do not show what the messages say", async () => {
  const own = await startServer();
  const broker = createBroker({ ...readOptions({ url: own.url, password: canary, timeout: "500ms" }), leaseMs: 1000 });
  onTestFinished(() => broker.close());
  const logger = new RecordingLogger();
  await broker.open({ logger });
  await broker.declare([{ name: "default", priorities: false }]);
  const errors: unknown[] = [];
  const fail = async (code: string): Promise<void> => {
    const error: unknown = await broker
      .publish([message(canary, { body: Buffer.from(canary), headers: { [canary]: canary } })])
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code });
    errors.push(error);
  };
  await own.command("SET", "default", "of another program");
  await fail("Q1017");
  await own.command("DEL", "default");
  await own.command("CONFIG", "SET", "maxmemory", 1);
  await fail("Q1016");
  await own.command("CONFIG", "SET", "maxmemory", 0);
  await own.command("CONFIG", "SET", "min-replicas-to-write", 1);
  await fail("Q1001");
  await own.command("CONFIG", "SET", "min-replicas-to-write", 0);
  own.freeze();
  await fail("Q1102");
  await own.kill();
  await fail("Q1001");
  expect(shown(errors, broker, logger.lines)).not.toContain(canary);
});

test("the address is for people and holds no login", () => {
  const broker = redis({ url: `redis://app:${canary}@cache:6379/1?prefix=p` });
  expect(broker.address).toBe("redis://cache:6379/1");
  expect(shown(broker, silentLogger)).not.toContain(canary);
});
