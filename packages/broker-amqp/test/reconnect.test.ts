import { silentLogger, type BrokerError, type Delivery, type LogFields } from "@q/core/broker";
import { TcpProxy, type RabbitServer } from "@q/test-servers";
import { expect, onTestFinished, test } from "vitest";
import { amqp } from "../src/index.ts";
import { consumed, eventually, idsOf, message, opened, ownServer, proxied } from "./opened.ts";

const server = ownServer();

/** A port on which nobody listens. */
async function deadPort(target: RabbitServer): Promise<number> {
  const proxy = await TcpProxy.start({ port: target.port });
  await proxy.stop();
  return proxy.port;
}

test("of several hosts one that is gone is passed over, at the start and later", async () => {
  const [first, second] = [await proxied(server()), await proxied(server())];
  const hosts = [await deadPort(server()), first.proxy.port, second.proxy.port].map((port) => `127.0.0.1:${port}`);
  const broker = await opened({ hosts, timeout: "10s" }, "hosts");
  const came = await consumed(broker, "hosts");
  await broker.publish([message("hosts", "a")]);
  for (const [gone, id] of [
    [first, "b"],
    [second, "c"],
  ] as const) {
    gone.proxy.refuse();
    gone.proxy.cut();
    await eventually(() => broker.publish([message("hosts", id)]));
    await eventually(() => expect(idsOf(came)).toContain(id));
    await gone.proxy.restore();
  }
});

test("connections that the server closes, and a restart of RabbitMQ, end no consumer and lose no message", async () => {
  const broker = await opened({ url: server().url, timeout: "20s" }, "restarted");
  const came = await consumed(broker, "restarted");
  await server().admin.closeAllConnections();
  await broker.publish([message("restarted", "a"), message("restarted", "later", { delayMs: 3000 })]);
  await eventually(() => expect(idsOf(came)).toContain("a"));
  await server().admin.stopApp();
  await server().admin.startApp();
  await eventually(() => broker.publish([message("restarted", "b")]));
  await eventually(() => expect(idsOf(came)).toEqual(expect.arrayContaining(["b", "later"])));
}, 120_000);

test("when RabbitMQ closes a connection, the log has its reason", async () => {
  const reasons: string[] = [];
  const warn = ({ err }: LogFields): void => void reasons.push(String(err));
  const broker = amqp({ url: server().url });
  onTestFinished(() => broker.close());
  await broker.open({ logger: { ...silentLogger, warn } });
  await broker.declare([{ name: "told", priorities: false }]);
  await broker.publish([message("told", "a")]);
  await server().admin.closeAllConnections("new certificates");
  await eventually(() => expect(reasons).toHaveLength(1));
  expect(reasons[0]).toContain("new certificates");
});

test("what is under way when RabbitMQ stops in good order may be stored", async () => {
  const broker = await opened({ url: server().url, timeout: "1s" }, "stopping");
  const codes = new Set<string>();
  const over = new AbortController();
  const publishers = Array.from({ length: 500 }, async (_, index) => {
    while (!over.signal.aborted)
      await broker.publish([message("stopping", `m-${index}`)]).catch(
        // As all errors of `publish`.
        (error: unknown) => void codes.add((error as BrokerError).code),
      );
  });
  await server().admin.stopApp();
  await eventually(() => expect(codes).toContain("Q1001"));
  over.abort();
  await Promise.all(publishers);
  await server().admin.startApp();
  expect([...codes].toSorted()).toEqual(["Q1001", "Q1102"]);
}, 120_000);

test("a message that is held when its connection ends is lost to its holder, and comes again as a suspect", async () => {
  const { proxy, url } = await proxied(server());
  const broker = await opened({ url, timeout: "10s" }, "held");
  await broker.publish([message("held", "a")]);
  const deliveries: Delivery[] = [];
  await broker.consume(["held"], { prefetch: 5 }, (delivery) => void deliveries.push(delivery));
  await eventually(() => expect(deliveries).toHaveLength(1));
  proxy.cut();
  await eventually(() => expect(deliveries).toHaveLength(2));
  const [late, again] = deliveries;
  expect([late?.lost.aborted, await late?.settle({ kind: "ack" })]).toEqual([true, "lost"]);
  expect(again?.crashes).toBe(1);
  expect(await again?.settle({ kind: "ack" })).toBe("settled");
});

test("a retry with a delay that finds no connection to send it on waits for one: it is not early, and no crash", async () => {
  const [sending, consuming] = [await proxied(server()), await proxied(server())];
  const hosts = [sending, consuming].map(({ proxy }) => `127.0.0.1:${proxy.port}`);
  consuming.proxy.refuse();
  const broker = await opened({ hosts, timeout: "2s" }, "retried");
  await broker.publish([message("retried", "a")]);
  sending.proxy.refuse();
  await consuming.proxy.restore();
  const came: Delivery[] = [];
  await broker.consume(["retried"], { prefetch: 5 }, (delivery) => void came.push(delivery));
  await eventually(() => expect(came).toHaveLength(1));
  consuming.proxy.refuse();
  sending.proxy.cut();
  await eventually(() => expect(broker.connected).toBe(false));
  const settled = came[0]?.settle({ kind: "requeue", delayMs: 1000 });
  // By then nobody waits for a connection any more who has done so from the start.
  await expect(broker.publish([message("retried", "b")])).rejects.toMatchObject({ code: "Q1001" });
  const restoredAt = performance.now();
  await sending.proxy.restore();
  expect(await settled).toBe("settled");
  await eventually(() => expect(came.length).toBeGreaterThan(1));
  expect(performance.now() - restoredAt).toBeGreaterThanOrEqual(1000);
  expect(came.slice(1).map(({ crashes }) => crashes)).toEqual([0]);
});

test("a queue that is deleted under its consumer is made again, and consumed", async () => {
  const broker = await opened({ url: server().url }, "deleted");
  const came = await consumed(broker, "deleted");
  await server().admin.deleteQueue("deleted");
  await eventually(() => broker.publish([message("deleted", "a")]));
  await eventually(() => expect(idsOf(came)).toEqual(["a"]));
});

test("a line on which nobody answers any more is given up", async () => {
  const { proxy, url } = await proxied(server());
  const broker = await opened({ url, heartbeat: "1s", timeout: "2s" }, "silent");
  const came = await consumed(broker, "silent");
  proxy.blackhole();
  await eventually(() => expect(broker.connected).toBe(false));
  proxy.cut();
  await proxy.restore();
  await eventually(() => broker.publish([message("silent", "a")]));
  await eventually(() => expect(idsOf(came)).toContain("a"));
});

test.each([
  ["amqp://guest:wrong@127.0.0.1:PORT/", "Q1002"],
  ["amqp://guest:guest@127.0.0.1:PORT/nowhere", "Q1025"],
  ["amqp://guest:guest@127.0.0.1:1/", "Q1001"],
])("opening %s is refused with %s, without the password", async (url, code) => {
  const broker = amqp({ url: url.replace("PORT", String(server().port)), timeout: "10s" });
  onTestFinished(() => broker.close());
  const error = await broker.open({ logger: silentLogger }).then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  expect(error).toMatchObject({ code });
  expect(String(error) + JSON.stringify(error)).not.toContain("wrong");
});
