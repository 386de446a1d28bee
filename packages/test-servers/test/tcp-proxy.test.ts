import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { TcpProxy } from "../src/index.ts";
import { until } from "../src/until.ts";

/** A server that says everything back, and what it has heard. */
async function startEcho(): Promise<{ port: number; heard: () => string }> {
  let heard = "";
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("data", (chunk) => (heard += chunk.toString()));
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, heard: () => heard };
}

async function startProxy(): Promise<{ proxy: TcpProxy; heard: () => string }> {
  const { port, heard } = await startEcho();
  const proxy = await TcpProxy.start({ port });
  onTestFinished(() => proxy.stop());
  return { proxy, heard };
}

interface Client {
  readonly socket: Socket;
  readonly said: () => string;
  /** Sends a text and waits for it to come back. */
  ask(text: string): Promise<void>;
  /** Resolves to the code of the error that the connection ended with, or "". */
  readonly ended: Promise<string>;
}

async function connectTo({ port }: TcpProxy): Promise<Client> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let said = "";
  let code = "";
  socket.on("data", (chunk) => (said += chunk.toString()));
  socket.on("error", (error: NodeJS.ErrnoException) => (code = error.code ?? ""));
  const ended = new Promise<string>((resolve) => {
    socket.on("close", () => resolve(code));
  });
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  const ask = async (text: string): Promise<void> => {
    const expected = said + text;
    socket.write(text);
    await until(`"${text}" comes back`, 10_000, async () => said === expected);
  };
  return { socket, said: () => said, ask, ended };
}

/** Lets time pass, in steps in which this process gets on with its work. */
async function letPass(ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  await until("the time is over", 10_000 + ms, async () => performance.now() > deadline);
}

test("bytes pass in both directions, and are counted", async () => {
  const { proxy } = await startProxy();
  const client = await connectTo(proxy);
  await client.ask("hello");
  expect(proxy.counters).toEqual({ accepted: 1, open: 1, cut: 0, silenced: 0, bytesToServer: 5, bytesToClient: 5 });
});

test("many bytes pass whole, also when the reader is slow", async () => {
  const { proxy } = await startProxy();
  const { socket, said } = await connectTo(proxy);
  const text = Array.from({ length: 2_000_000 }, (_, index) => index % 10).join("");
  socket.pause();
  socket.end(text);
  await until("the buffers are full", 10_000, async () => proxy.counters.bytesToServer > 100_000);
  socket.resume();
  await once(socket, "end");
  expect(said() === text).toBe(true);
});

test("the end of a connection reaches the other side", async () => {
  const { proxy } = await startProxy();
  const client = await connectTo(proxy);
  await client.ask("hello");
  client.socket.end();
  expect(await client.ended).toBe("");
  await until("the connection is gone", 10_000, async () => proxy.counters.open === 0);
});

test("cut resets the connections, and new ones work", async () => {
  const { proxy } = await startProxy();
  const client = await connectTo(proxy);
  await client.ask("hello");
  proxy.cut();
  expect(await client.ended).toBe("ECONNRESET");
  expect(proxy.counters).toMatchObject({ cut: 1, open: 0 });
  await (await connectTo(proxy)).ask("again");
});

test("a dropped reply is lost for good, though the server heard the question", async () => {
  const { proxy, heard } = await startProxy();
  const client = await connectTo(proxy);
  await client.ask("one ");
  proxy.dropReplies();
  client.socket.write("two ");
  await until("the reply got lost", 10_000, async () => proxy.counters.silenced === 1);
  expect(heard()).toBe("one two ");
  await proxy.restore();
  expect(await client.ended).toBe("ECONNRESET");
  expect(client.said()).toBe("one ");
});

test("after a dropped reply the connection stays silent, because TCP leaves no holes", async () => {
  const { proxy, heard } = await startProxy();
  const client = await connectTo(proxy);
  proxy.dropReplies({ probability: 0.5 });
  let sent = "";
  while (proxy.counters.silenced === 0) {
    client.socket.write("x");
    sent += "x";
    await until("the server heard it", 10_000, async () => heard() === sent);
  }
  const other = await connectTo(proxy);
  proxy.dropReplies({ probability: 0 });
  const before = client.said();
  client.socket.write("y");
  await until("the server heard it", 10_000, async () => heard() === `${sent}y`);
  await other.ask("z");
  expect(client.said()).toBe(before);
});

test("a dropped reply cuts the connection when told so", async () => {
  const { proxy } = await startProxy();
  const client = await connectTo(proxy);
  await client.ask("hello");
  proxy.dropReplies({ thenCut: true });
  client.socket.write("lost");
  expect(await client.ended).toBe("ECONNRESET");
  expect(client.said()).toBe("hello");
  expect(proxy.counters).toMatchObject({ silenced: 1, cut: 1 });
});

test("nothing gets through a black hole, and after it everything does", async () => {
  const { proxy, heard } = await startProxy();
  const old = await connectTo(proxy);
  await old.ask("one ");
  proxy.blackhole();
  const young = await connectTo(proxy);
  old.socket.write("two ");
  young.socket.write("three ");
  await until("both connections are made", 10_000, async () => proxy.counters.accepted === 2);
  // Long enough for what is not held to come back many times.
  await letPass(200);
  expect(heard()).toBe("one ");
  await proxy.restore();
  await until(
    "old and young have their answers",
    10_000,
    async () => old.said() === "one two " && young.said() === "three ",
  );
});

test("what is on its way when a black hole opens gets stuck as well", async () => {
  const { proxy, heard } = await startProxy();
  const client = await connectTo(proxy);
  proxy.latency(1000);
  client.socket.write("stuck");
  await letPass(50);
  proxy.blackhole();
  await letPass(1000);
  expect(heard()).toBe("");
  await proxy.restore();
  await until("it goes on", 10_000, async () => client.said() === "stuck");
});

test("latency delays both directions and keeps the order", async () => {
  const { proxy } = await startProxy();
  const client = await connectTo(proxy);
  proxy.latency(100);
  const startedAt = performance.now();
  client.socket.write("slow ");
  await until("the first is on its way", 10_000, async () => proxy.counters.bytesToServer > 0);
  proxy.latency(0);
  client.socket.write("fast");
  await until("both are back", 10_000, async () => client.said() === "slow fast");
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(100);
  proxy.latency(100);
  const askedAt = performance.now();
  await client.ask("!");
  expect(performance.now() - askedAt).toBeGreaterThanOrEqual(200);
});

test("bandwidth lets each connection carry so much in each direction, in order, however much is sent", async () => {
  const { proxy } = await startProxy();
  const [one, other] = [await connectTo(proxy), await connectTo(proxy)];
  const text = "x".repeat(2000);
  proxy.bandwidth(10_000);
  const startedAt = performance.now();
  for (const client of [one, other]) for (const part of [text, "y"]) client.socket.write(part);
  await until("both are back", 10_000, async () => [one, other].every((client) => client.said() === `${text}y`));
  // There and back, side by side.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(400);
  await proxy.restore();
  const askedAt = performance.now();
  await one.ask(text);
  expect(performance.now() - askedAt).toBeLessThan(400);
});

test("refuse turns new connections away and keeps the old ones, until restored", async () => {
  const { proxy } = await startProxy();
  const old = await connectTo(proxy);
  await old.ask("one ");
  proxy.refuse();
  await expect(connectTo(proxy)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await old.ask("two");
  await proxy.restore();
  await (await connectTo(proxy)).ask("three");
});

test("a target that is down resets the connection", async () => {
  const { port } = await startProxy().then(({ proxy }) => (proxy.refuse(), proxy));
  const proxy = await TcpProxy.start({ port });
  onTestFinished(() => proxy.stop());
  const client = await connectTo(proxy);
  expect(await client.ended).toBe("ECONNRESET");
});

test("stop ends everything and may be called twice", async () => {
  const { proxy } = await startProxy();
  const client = await connectTo(proxy);
  await client.ask("hello");
  await proxy.stop();
  await proxy.stop();
  expect(await client.ended).toBe("ECONNRESET");
  await expect(connectTo(proxy)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});
