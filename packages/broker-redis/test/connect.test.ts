import { readFile } from "node:fs/promises";
import { freePort, RedisServer, TcpProxy, TestCertificates } from "@q/test-servers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Connection } from "../src/connection.ts";
import type { RedisOptions } from "../src/options.ts";
import { OutageLog } from "../src/outage-log.ts";
import { connect, failure, startServer } from "./connecting.ts";
import { RecordingLogger } from "./recording-logger.ts";

let server: RedisServer;
let certificates: TestCertificates;
beforeAll(async () => {
  [server, certificates] = await Promise.all([RedisServer.start(), TestCertificates.create()]);
});
afterAll(() => Promise.all([server.stop(), certificates.remove()]));

async function behindProxy(timeout: `${number}ms` = "5000ms"): Promise<{ connection: Connection; proxy: TcpProxy }> {
  const proxy = await TcpProxy.start({ port: server.port });
  onTestFinished(() => proxy.stop());
  return { proxy, connection: await connect({ url: `redis://127.0.0.1:${proxy.port}`, timeout }) };
}

describe("one server", () => {
  test("is reached in the database, by the user and through the socket that the URL names", async () => {
    const own = await startServer({ acl: ["user default off", "user app on >p@ss/w:rd? ~* &* +@all"] });
    const tcp = await connect({ url: `redis://app:p%40ss%2Fw%3Ard%3F@127.0.0.1:${own.port}/3` });
    const socket = await connect({
      url: `redis+socket://${own.unixSocket}?virtual_host=5`,
      username: "app",
      password: "p@ss/w:rd?",
    });
    expect(await tcp.call("client", "info")).toMatch(/ db=3 .* user=app /);
    expect(await socket.call("client", "info")).toMatch(/ db=5 .* user=app /);
  });

  test.each([
    ["Q1002", "a wrong password", () => `redis://app:wrong@127.0.0.1:${server.port}`],
    ["Q1020", "a database that is not there", () => `redis://127.0.0.1:${server.port}/99`],
    ["Q1001", "a host that is not there", () => "redis://redis.invalid"],
    ["Q1001", "a socket that is not there", () => "redis+socket:///nowhere/redis.sock"],
  ])("is %s at once for %s", async (code, _what, url) => {
    const { error, tookMs } = await failure({ url: url() });
    expect(error.code).toBe(code);
    expect(tookMs).toBeLessThan(2000);
  });

  test("is Q1001 at once when nobody listens", async () => {
    const { error, tookMs } = await failure({ url: `redis://127.0.0.1:${await freePort()}` });
    expect(error).toMatchObject({ code: "Q1001", message: expect.stringContaining("ECONNREFUSED") });
    expect(tookMs).toBeLessThan(2000);
  });

  test("is Q1001 after the timeout when it says nothing", async () => {
    const own = await startServer();
    own.freeze();
    const { error, tookMs } = await failure({ url: own.url, timeout: "500ms" });
    expect(error.code).toBe("Q1001");
    expect(tookMs).toBeLessThan(2000);
  });

  test("is not used in another database when, started again, it has fewer", async () => {
    const own = await startServer();
    const connection = await connect({ url: `${own.url}/15` });
    await own.kill();
    const smaller = await startServer({ port: own.port, args: ["--databases", "4"] });
    const received = async (): Promise<number> =>
      Number(/total_connections_received:(\d+)/.exec(String(await smaller.command("info", "stats")))?.[1]);
    await expect.poll(received, { timeout: 10_000 }).toBeGreaterThan(10);
    expect(connection.isReady).toBe(false);
  });

  test("that cannot be reached at first is an error and no line in the log", async () => {
    const logger = new RecordingLogger();
    await expect(connect({ url: `redis://127.0.0.1:${await freePort()}` }, logger)).rejects.toThrow("ECONNREFUSED");
    expect(logger.lines).toEqual([]);
  });

  test("is said to be away once, however often the client tries, and to be back once", async () => {
    const own = await startServer();
    const logger = new RecordingLogger();
    const connection = await connect({ url: own.url }, logger);
    await own.kill();
    await expect.poll(() => logger.lines.length).toBe(1);
    await own.restart();
    await expect.poll(() => connection.isReady, { timeout: 5000 }).toBe(true);
    expect(logger.lines.map(({ level, text }) => [level, text])).toEqual([
      ["warn", "no connection to Redis; trying again until there is one"],
      ["info", "connected to Redis again"],
    ]);
    // The logger of a broker names it already, and JSON would have the key twice.
    for (const { fields } of logger.lines) expect(fields).not.toHaveProperty("broker");
  });

  test("is said to be away and back once for all connections of a broker", async () => {
    const own = await startServer();
    const logger = new RecordingLogger();
    const outages = new OutageLog(logger);
    const connections = [
      await connect({ url: own.url }, logger, outages),
      await connect({ url: own.url }, logger, outages),
      await connect({ url: own.url }, logger, outages),
    ];
    await own.kill();
    await expect.poll(() => logger.lines.length).toBe(1);
    // One that is closed meanwhile does not keep the others from being back.
    connections[2]?.close();
    await own.restart();
    await expect.poll(() => logger.lines.length, { timeout: 5000 }).toBe(2);
    expect(connections.map(({ isReady }) => isReady)).toEqual([true, true, false]);
    expect(logger.lines.map(({ level }) => level)).toEqual(["warn", "info"]);
  });

  test("did what was under way when its connection ended once, and whoever waits hears at once", async () => {
    const { connection, proxy } = await behindProxy();
    proxy.dropReplies();
    const answers = Array.from({ length: 50 }, () =>
      connection.call("rpush", "once", 1).catch((error: unknown) => error),
    );
    await expect.poll(() => server.command("llen", "once")).toBe(50);
    const cutAt = performance.now();
    proxy.cut();
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ code: "Q1001", sent: true });
    expect(performance.now() - cutAt).toBeLessThan(1000);
    await proxy.restore();
    await expect.poll(() => connection.isReady, { timeout: 5000 }).toBe(true);
    expect(await connection.call("llen", "once")).toBe(50);
  });

  test("is connected to anew when the connection carries nothing any more", async () => {
    const { connection, proxy } = await behindProxy("500ms");
    proxy.blackhole();
    await expect(connection.call("ping")).rejects.toMatchObject({ code: "Q1001", sent: true });
    await expect.poll(() => connection.isReady).toBe(false);
    await proxy.restore();
    await expect.poll(() => connection.isReady, { timeout: 5000 }).toBe(true);
    expect(await connection.call("ping")).toBe("PONG");
  });

  test("is connected to anew also while it is asked again and again", async () => {
    const { connection, proxy } = await behindProxy("500ms");
    proxy.blackhole();
    const first = connection.call("ping").then(
      () => "answered",
      () => "lost",
    );
    const asking = setInterval(() => void connection.call("ping").catch(() => undefined), 100);
    onTestFinished(() => clearInterval(asking));
    const late = new Promise((resolve) => setTimeout(resolve, 4000, "late"));
    expect(await Promise.race([first, late])).toBe("lost");
  });

  test("stays connected while nobody asks it anything", async () => {
    const { connection, proxy } = await behindProxy("200ms");
    const before = await connection.call("client", "id");
    const idleSeconds = async (): Promise<number> =>
      Number(/ idle=(\d+)/.exec(String(await server.command("client", "list", "id", Number(before))))?.[1]);
    await expect.poll(idleSeconds, { timeout: 5000 }).toBeGreaterThan(1);
    expect(proxy.counters.accepted).toBe(1);
    expect(await connection.call("client", "id")).toBe(before);
    proxy.blackhole();
    await expect(connection.call("ping")).rejects.toMatchObject({ code: "Q1001", sent: true });
  });
});

describe("TLS", () => {
  const startWith = (certificate: { cert: string; key: string }, clientCertificates = false): Promise<RedisServer> =>
    startServer({ tls: { ...certificate, ca: certificates.ca, clientCertificates } });

  test("takes the authority, and a certificate of ours, from files or as text", async () => {
    const own = await startWith(certificates.server, true);
    const { ca } = certificates;
    const { cert, key } = certificates.client;
    const [caText, certText, keyText] = await Promise.all([ca, cert, key].map((file) => readFile(file, "utf8")));
    if (caText === undefined || certText === undefined || keyText === undefined)
      throw new Error("expected three texts");
    for (const options of [
      { url: own.url, ca, cert, key },
      { url: own.url, ca: caText, cert: certText, key: keyText },
      { url: `${own.url}/0?ca=${ca}&cert=${cert}&key=${key}` },
    ]) {
      expect(await (await connect(options)).call("ping")).toBe("PONG");
    }
  });

  const trusting = (url: string): RedisOptions => ({ url, ca: certificates.ca });

  test.each([
    ["has expired", /expired/, () => startWith(certificates.expired), trusting],
    ["is for another host", /another host/, () => startWith(certificates.wrongHost), trusting],
    ["is from an unknown authority", /authority/, () => startWith(certificates.server), (url: string) => ({ url })],
    [
      "is to be checked by a file that is not there",
      /ENOENT/,
      () => startWith(certificates.server),
      (url: string) => ({ url, ca: "/nowhere/ca.pem" }),
    ],
  ])("is Q1021 at once when the server's certificate %s", async (_what, message, start, optionsFor) => {
    const { error, tookMs } = await failure(optionsFor((await start()).url));
    expect(error).toMatchObject({ code: "Q1021", message: expect.stringMatching(message) });
    expect(tookMs).toBeLessThan(2000);
  });

  test("hints at a certificate of ours when the server wants one", async () => {
    // What it says when it hangs up may be lost, and with it the code.
    const { error, tookMs } = await failure(trusting((await startWith(certificates.server, true)).url));
    expect(error.hint).toMatch(/cert and key/);
    expect(tookMs).toBeLessThan(2000);
  });

  test("takes a certificate of another host, or any, when it is told to", async () => {
    const { url } = await startWith(certificates.wrongHost);
    for (const options of [{ ca: certificates.ca, servername: "elsewhere.test" }, { insecure: true }])
      expect(await (await connect({ url, ...options })).call("ping")).toBe("PONG");
  });

  test("is hinted at when only one side speaks it", async () => {
    const { port } = await startWith(certificates.server);
    const plain = await failure({ url: `redis://127.0.0.1:${port}` });
    expect(plain.error).toMatchObject({ code: "Q1001", hint: expect.stringContaining("rediss:") });
    const encrypted = await failure({ url: `rediss://127.0.0.1:${server.port}`, timeout: "500ms" });
    expect(encrypted.error).toMatchObject({ code: "Q1001", hint: expect.stringContaining("TLS") });
  });
});
