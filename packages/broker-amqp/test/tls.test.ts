import { readFile } from "node:fs/promises";
import { BrokerError, silentLogger } from "@q/core/broker";
import { RabbitServer, TestCertificates } from "@q/test-servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { amqp, type AmqpOptions } from "../src/index.ts";
import { consumed, eventually, idsOf, message, opened } from "./opened.ts";

let certificates: TestCertificates;
let server: RabbitServer;

// One server for all: it takes only clients whose certificate is of the authority.
beforeAll(async () => {
  certificates = await TestCertificates.create();
  server = await RabbitServer.start({
    tls: { ...certificates.server, ca: certificates.ca, clientCertificates: true },
  });
}, 180_000);

afterAll(async () => {
  await server.stop();
  await certificates.remove();
});

async function failure(options: AmqpOptions): Promise<BrokerError> {
  const broker = amqp(options);
  const error: unknown = await broker.open({ logger: silentLogger }).catch((caught: unknown) => caught);
  await broker.close();
  if (!(error instanceof BrokerError)) throw new Error("expected a BrokerError", { cause: error });
  return error;
}

/** What lets us in. */
function ours(): AmqpOptions {
  return { url: server.tlsUrl, ca: certificates.ca, ...certificates.client };
}

test("takes the authority and a certificate of ours from files, as text and from the URL", async () => {
  const { ca } = certificates;
  const { cert, key } = certificates.client;
  const [caText = "", certText = "", keyText = ""] = await Promise.all(
    [ca, cert, key].map((file) => readFile(file, "utf8")),
  );
  for (const [number, options] of [
    ours(),
    { url: server.tlsUrl, ca: caText, cert: certText, key: keyText },
    { url: `${server.tlsUrl}/?ca=${ca}&cert=${cert}&key=${key}` },
    { url: server.tlsUrl, insecure: true, cert, key },
  ].entries()) {
    const queue = `tls-${number}`;
    const broker = await opened(options, queue);
    await broker.publish([message(queue, "a")]);
    const deliveries = await consumed(broker, queue);
    await eventually(() => expect(idsOf(deliveries)).toEqual(["a"]));
  }
});

test("is Q1021 when the server's certificate is from an unknown authority", async () => {
  expect(await failure({ url: server.tlsUrl, ...certificates.client })).toMatchObject({
    code: "Q1021",
    message: expect.stringMatching(/unable to verify|self.signed|authority/),
  });
});

test("is Q1021 when the server's certificate is for another host", async () => {
  expect(await failure({ ...ours(), servername: "elsewhere.test" })).toMatchObject({
    code: "Q1021",
    message: expect.stringMatching(/altnames/),
  });
});

test("is Q1021 when the file of the authority is not there", async () => {
  expect(await failure({ ...ours(), ca: "/nowhere/ca.pem" })).toMatchObject({
    code: "Q1021",
    message: expect.stringMatching(/ENOENT/),
  });
});

test("hints at a certificate of ours when the server wants one", async () => {
  expect(await failure({ url: server.tlsUrl, ca: certificates.ca })).toMatchObject({
    hint: expect.stringMatching(/certificate of yours/),
  });
});

test("is hinted at when only one side speaks it", async () => {
  const plain = await failure({ url: server.tlsUrl.replace("amqps:", "amqp:") });
  expect(plain).toMatchObject({ code: "Q1001", hint: expect.stringContaining("amqps:") });
  const encrypted = await failure({ ...ours(), url: `amqps://guest:guest@127.0.0.1:${server.port}`, timeout: "1s" });
  expect(encrypted).toMatchObject({ code: "Q1021", hint: expect.stringContaining("does it speak TLS") });
});
