import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { connect, type ChannelModel, type ConfirmChannel } from "amqplib";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { isInstalled, RabbitAdmin, RabbitServer, rabbitUrl, TestCertificates } from "../src/index.ts";
import { until } from "../src/until.ts";

// A start, and a call of rabbitmqctl, are slow where other suites run beside them.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

const installed = isInstalled("rabbitmq-server") && isInstalled("openssl");
let certificates: TestCertificates;
let server: RabbitServer;

// One for all tests: it takes long to start.
beforeAll(async () => {
  if (!installed) return;
  certificates = await TestCertificates.create();
  const tls = { ...certificates.server, ca: certificates.ca, clientCertificates: true };
  server = await RabbitServer.start({ tls, consumerTimeoutMs: 3000 });
});

beforeEach(({ skip }) => {
  skip(!installed, "no RabbitMQ or no OpenSSL here: apt-get install rabbitmq-server openssl");
});

afterAll(async () => {
  if (!installed) return;
  await server.stop();
  await certificates.remove();
});

async function open(url: string, socket: object = {}): Promise<ChannelModel> {
  const connection = await connect(url, socket);
  connection.on("error", () => undefined);
  onTestFinished(() => connection.close().catch(() => undefined));
  return connection;
}

/** With a durable queue in it. */
async function channelWith(queue: string, url: string = server.url): Promise<ConfirmChannel> {
  const channel = await (await open(url)).createConfirmChannel();
  channel.on("error", () => undefined);
  await channel.assertQueue(queue, { durable: true });
  return channel;
}

async function store(channel: ConfirmChannel, queue: string, text: string): Promise<void> {
  channel.sendToQueue(queue, Buffer.from(text), { persistent: true });
  await channel.waitForConfirms();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function refuses(port: number): Promise<boolean> {
  const socket = connectTcp(port, "127.0.0.1");
  return await once(socket, "connect").then(
    () => false,
    () => true,
  );
}

test("a vhost that was added has no queue of another one", async () => {
  await server.admin.addVhost("a/b");
  const channel = await channelWith("mine", rabbitUrl(server.node, "a/b"));
  await store(channel, "mine", "hello");
  expect(await server.admin.queues("a/b")).toEqual([
    { name: "mine", type: "classic", ready: 1, unacknowledged: 0, consumers: 0 },
  ]);
  expect(await server.admin.queues()).toEqual([]);
  await server.admin.purgeQueue("mine", "a/b");
  expect(await channel.checkQueue("mine")).toMatchObject({ messageCount: 0 });
  await server.admin.deleteQueue("mine", "a/b");
  await expect(channel.checkQueue("mine")).rejects.toThrow(/no queue 'mine'/);
  await server.admin.deleteVhost("a/b");
  await expect(open(rabbitUrl(server.node, "a/b"))).rejects.toThrow(/ConnectionClose/);
});

test("a user may do what its permissions say, and no more", async () => {
  const permissions = { vhost: "/", configure: "^own", write: "^$", read: "^$" };
  await server.admin.addUser({ name: "alice", password: "secret", ...permissions });
  const url = `amqp://alice:secret@127.0.0.1:${server.port}`;
  await channelWith("own.queue", url);
  await expect(channelWith("other", url)).rejects.toThrow(/ACCESS_REFUSED.*'other'/);
  await server.admin.deleteQueue("own.queue");
});

test("a policy holds for queues that are there, until it is cleared", async () => {
  const channel = await channelWith("bounded");
  const policy = { name: "short", vhost: "/" };
  const definition = { "max-length": 1, overflow: "reject-publish" };
  await server.admin.setPolicy({ ...policy, pattern: "^bounded$", definition });
  await store(channel, "bounded", "first");
  await expect(store(channel, "bounded", "second")).rejects.toThrow(/nacked/);
  await server.admin.clearPolicy(policy);
  await store(channel, "bounded", "second");
  await server.admin.deleteQueue("bounded");
});

test("an alarm holds whoever publishes until it is over", async () => {
  const connection = await open(server.url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue("alarmed");
  const blocked = once(connection, "blocked");
  await server.admin.setMemoryAlarm(true);
  channel.sendToQueue("alarmed", Buffer.from("held"));
  const [reason] = (await blocked) as [string];
  expect(reason).toBe("low on memory");
  expect(await server.admin.queues()).toMatchObject([{ name: "alarmed", ready: 0 }]);
  const unblocked = once(connection, "unblocked");
  await server.admin.setMemoryAlarm(false);
  await unblocked;
  await channel.waitForConfirms();
  expect(await channel.checkQueue("alarmed")).toMatchObject({ messageCount: 1 });
  await server.admin.deleteQueue("alarmed");
});

test("all connections can be closed, and RabbitMQ be stopped on its node and started again", async () => {
  const connection = await open(server.url);
  const closed = once(connection, "close");
  await server.admin.closeAllConnections();
  await closed;
  await server.admin.stopApp();
  expect(await refuses(server.port)).toBe(true);
  expect(server.isRunning).toBe(true);
  await server.admin.startApp();
  await open(server.url);
});

test("a consumer that keeps a message for too long loses its channel", async () => {
  const channel = await channelWith("kept-too-long");
  await store(channel, "kept-too-long", "kept");
  const ended = once(channel, "error");
  await channel.consume("kept-too-long", () => undefined);
  const [error] = (await ended) as [Error];
  expect(error.message).toMatch(/PRECONDITION_FAILED.*timed out/);
  await server.admin.deleteQueue("kept-too-long");
});

test("a client needs a certificate where TLS says so", async () => {
  const ca = readFileSync(certificates.ca);
  const { cert, key } = certificates.client;
  await expect(open(server.tlsUrl, { ca: [ca] })).rejects.toThrow(/certificate|closed|ECONNRESET/);
  await open(server.tlsUrl, { ca: [ca], cert: readFileSync(cert), key: readFileSync(key) });
});

test("a killed server refuses connections until it is restarted on the same port, with what it had confirmed", async () => {
  const channel = await channelWith("kept");
  await store(channel, "kept", "confirmed");
  const { port, pid } = server;
  await server.admin.writeDownQueues();
  await server.kill();
  expect(isAlive(pid)).toBe(false);
  expect(await refuses(port)).toBe(true);
  await server.restart();
  expect(server.port).toBe(port);
  expect(server.pid).not.toBe(pid);
  const message = await (await channelWith("kept")).get("kept", { noAck: true });
  expect(message).toMatchObject({ content: Buffer.from("confirmed") });
});

test("a frozen server does not answer, and does so on the same connection when it is thawed", async () => {
  const channel = await channelWith("frozen");
  server.freeze();
  let hasAnswered = false;
  const answer = channel.checkQueue("frozen").finally(() => (hasAnswered = true));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(hasAnswered).toBe(false);
  server.thaw();
  expect(await answer).toMatchObject({ queue: "frozen" });
});

test("another process of the test reaches the node by plain data", async () => {
  const node = JSON.parse(JSON.stringify(server.node)) as typeof server.node;
  expect(await new RabbitAdmin(node).command("list_vhosts")).toContain("/");
});

test("a server that does not start says why", async () => {
  await expect(RabbitServer.start({ config: ["heartbeat = often"] })).rejects.toThrow(/heartbeat/);
});

test("a server, its port mapper and its folder go with the process that started it, even one that is killed", async () => {
  const keeper = spawn(process.execPath, [join(import.meta.dirname, "fixtures/rabbit-keeper.mjs")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void keeper.kill("SIGKILL"));
  const [line] = (await once(keeper.stdout, "data")) as [Buffer];
  const { pid, dir, epmdPort } = JSON.parse(line.toString()) as { pid: number; dir: string; epmdPort: number };
  expect(isAlive(pid)).toBe(true);
  expect(await refuses(epmdPort)).toBe(false);
  keeper.kill("SIGKILL");
  await until("server, port mapper and folder are gone", 10_000, async () => {
    return !isAlive(pid) && !existsSync(dir) && (await refuses(epmdPort));
  });
});

test("a stopped server leaves nothing behind, and may be stopped twice", async () => {
  await server.stop();
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
  expect(existsSync(server.node.dir)).toBe(false);
  expect(await refuses(server.node.epmdPort)).toBe(true);
});
