import { PublishFailed, PublishRejected, PublishUnknown } from "@q/core/broker";
import { expect, onTestFinished, test } from "vitest";
import { delaysSign } from "../src/names.ts";
import { openChannel } from "./channel.ts";
import { consumed, eventually, idsOf, message, opened, ownServer, proxied } from "./opened.ts";

const server = ownServer();

/** What a promise rejects with. */
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

test("a message whose queue is gone is rejected, and its neighbours are stored", async () => {
  const broker = await opened({ url: server().url }, "gone");
  await broker.declare([{ name: "there", priorities: false }]);
  await server().admin.deleteQueue("gone");
  const error = await failure(broker.publish([message("there", "a"), message("gone", "b"), message("there", "c")]));
  expect(error).toBeInstanceOf(PublishFailed);
  const { failures } = error as PublishFailed;
  expect([...failures.keys()]).toEqual([1]);
  expect(failures.get(1)).toBeInstanceOf(PublishRejected);
  expect(failures.get(1)).toMatchObject({ code: "Q1105" });
  const came = await consumed(broker, "there");
  await eventually(() => expect(idsOf(came)).toEqual(["a", "c"]));
});

test("a hundred messages without a queue are a hundred rejections", async () => {
  const broker = await opened({ url: server().url }, "emptied");
  await server().admin.deleteQueue("emptied");
  const batch = Array.from({ length: 100 }, (_, index) => message("emptied", `m-${index}`));
  expect(await failure(broker.publish(batch))).toMatchObject({ code: "Q1105" });
});

test("a message that a full queue refuses is rejected when its time is over", async () => {
  const broker = await opened({ url: server().url, timeout: "1s" }, "full");
  await server().admin.setPolicy({
    name: "full",
    vhost: "/",
    pattern: "^full$",
    definition: { "max-length": 1, overflow: "reject-publish" },
  });
  // A quorum queue looks at its length a little late.
  let error: unknown;
  for (let sent = 0; error === undefined && sent < 20; sent += 1)
    error = await failure(broker.publish([message("full", `m-${sent}`)]));
  expect(error).toBeInstanceOf(PublishRejected);
  expect(error).toMatchObject({ code: "Q1106" });
});

test("a message that RabbitMQ finds too large is rejected, and its neighbours are stored", async () => {
  const setLimit = (bytes: number): Promise<string> =>
    server().admin.evaluate(`application:set_env(rabbit, max_message_size, ${bytes})`);
  await setLimit(1000);
  onTestFinished(async () => void (await setLimit(134_217_728)));
  const broker = await opened({ url: server().url }, "small");
  const large = message("small", "large", { body: JSON.stringify([["x".repeat(1000)], {}, {}]) });
  const error = await failure(broker.publish([message("small", "a"), large, message("small", "b")]));
  expect((error as PublishFailed).failures.get(1)).toMatchObject({ name: "PublishRejected", code: "Q1101" });
  expect((error as PublishFailed).failures.size).toBe(1);
  const came = await consumed(broker, "small");
  await eventually(() => expect(idsOf(came)).toEqual(expect.arrayContaining(["a", "b"])));
});

test("where nothing is there for delayed messages, who may not declare it is told so at once", async () => {
  const rights = { configure: "^$", write: "^amq\\.default$", read: "^$" };
  await server().admin.addVhost("bare");
  await server().admin.addUser({ name: "sender", password: "secret", vhost: "bare", ...rights });
  await opened({ url: server().url, vhost: "bare" }, "plain");
  const url = server().url.replace("guest:guest", "sender:secret");
  const sendDelayed = async (): Promise<void> => {
    const broker = await opened({ url, vhost: "bare" }, "plain");
    const delayed = broker.publish([message("plain", "later", { delayMs: 1000 })]);
    expect(await failure(delayed)).toMatchObject({ name: "PublishRejected", code: "Q1018" });
    await broker.publish([message("plain", "now")]);
  };
  await sendDelayed();
  // Of which somebody has deleted all but the sign that it is there.
  const channel = await openChannel({ defer: onTestFinished }, server().url.replace(/\/$/, "/bare"));
  await channel.assertExchange(delaysSign, "fanout", { durable: true });
  await sendDelayed();
});

test("a message that is lost on its way is sent again, and stored", async () => {
  const { proxy, url } = await proxied(server());
  const broker = await opened({ url, timeout: "10s" }, "resent");
  proxy.blackhole();
  const sending = broker.publish([message("resent", "a"), message("resent", "b")]);
  setTimeout(() => {
    proxy.cut();
    void proxy.restore();
  }, 200);
  await sending;
  const came = await consumed(broker, "resent");
  await eventually(() => expect(idsOf(came)).toEqual(["a", "b"]));
});

test("a message whose confirm is lost is unknown when nobody is there any more", async () => {
  const { proxy, url } = await proxied(server());
  const broker = await opened({ url, timeout: "1s" }, "unknown");
  proxy.dropReplies();
  const error = await failure(broker.publish([message("unknown", "a")]));
  expect(error).toBeInstanceOf(PublishUnknown);
  expect(error).toMatchObject({ code: "Q1102" });
});

test("a message that could not be sent at all is rejected", async () => {
  const { proxy, url } = await proxied(server());
  const broker = await opened({ url, timeout: "1s" }, "offline");
  proxy.refuse();
  proxy.cut();
  await eventually(() => expect(broker.connected).toBe(false));
  const error = await failure(broker.publish([message("offline", "a")]));
  expect(error).toBeInstanceOf(PublishRejected);
  expect(error).toMatchObject({ code: "Q1001" });
});

test("a server short of memory keeps messages out, says so, and takes them when it has room", async () => {
  const broker = await opened({ url: server().url, timeout: "2s" }, "blocked");
  await broker.publish([message("blocked", "before")]);
  await server().admin.setMemoryAlarm(true);
  // The server tells of its alarm when it is sent something.
  expect(await failure(broker.publish([message("blocked", "during")]))).toBeInstanceOf(PublishUnknown);
  const error = await failure(broker.publish([message("blocked", "never")]));
  expect(error).toBeInstanceOf(PublishRejected);
  expect(error).toMatchObject({ code: "Q1107" });
  // Consumers go on meanwhile.
  const came = await consumed(broker, "blocked");
  await eventually(() => expect(idsOf(came)).toEqual(["before"]));
  await server().admin.setMemoryAlarm(false);
  await eventually(() => broker.publish([message("blocked", "after")]));
  await eventually(() => expect(idsOf(came)).toContain("after"));
  expect(idsOf(came)).not.toContain("never");
});

test.each([{ "!": "long", value: "x" }, { "!": "int", value: 2 ** 40 }, { "!": "of another program" }])(
  "headers that AMQP cannot hold, such as %j, are refused at once, and keep no other message waiting",
  async (note) => {
    const broker = await opened({ url: server().url, timeout: "10m" }, "unfit");
    const unfit = broker.publish([message("unfit", "a", { headers: { task: "t", id: "a", note } })]);
    const behind = broker.publish([message("unfit", "b")]);
    expect(await failure(unfit)).toMatchObject({ code: "Q1101" });
    await behind;
  },
);

test("many delayed messages that waited for a connection are sent as soon as it is there", async () => {
  const { proxy, url } = await proxied(server());
  const broker = await opened({ url, timeout: "10m" }, "waited");
  await broker.publish([message("waited", "first", { delayMs: 60_000 })]);
  proxy.refuse();
  proxy.cut();
  await eventually(() => expect(broker.connected).toBe(false));
  const before = proxy.counters.bytesToServer;
  const sending = broker.publish(
    Array.from({ length: 100 }, (_, index) => message("waited", `m-${index}`, { delayMs: 60_000 })),
  );
  await proxy.restore();
  await sending;
  // What they need is declared once, and takes some 15 KB.
  expect(proxy.counters.bytesToServer - before).toBeLessThan(200_000);
});

test("a delayed message whose queue was deleted meanwhile is rejected, and keeps no other from being sent", async () => {
  const { proxy, url } = await proxied(server());
  const broker = await opened({ url, timeout: "10m" }, "deleted");
  await broker.declare([{ name: "beside", priorities: false }]);
  await broker.publish(["deleted", "beside"].map((queue) => message(queue, "first", { delayMs: 60_000 })));
  proxy.refuse();
  proxy.cut();
  await eventually(() => expect(broker.connected).toBe(false));
  const orphan = failure(broker.publish([message("deleted", "a", { delayMs: 60_000 })]));
  const others = broker.publish([message("beside", "b"), message("beside", "c", { delayMs: 60_000 })]);
  await server().admin.deleteQueue("deleted");
  await proxy.restore();
  await others;
  expect(await orphan).toMatchObject({ name: "PublishRejected", code: "Q1105" });
  // As one that is sent later.
  const late = failure(broker.publish([message("deleted", "d", { delayMs: 60_000 })]));
  expect(await late).toMatchObject({ name: "PublishRejected", code: "Q1105" });
});
