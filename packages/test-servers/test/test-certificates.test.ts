import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { isInstalled, TestCertificates, type TestCertificate } from "../src/index.ts";

const installed = isInstalled("openssl");
let certificates: TestCertificates;

beforeAll(async () => {
  if (installed) certificates = await TestCertificates.create();
});

beforeEach(({ skip }) => {
  skip(!installed, "no openssl here: apt-get install openssl");
});

afterAll(async () => {
  if (installed) await certificates.remove();
});

function read({ cert, key }: TestCertificate): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

/** Connects to a server with one certificate as a client with another one, which trusts only our authority. */
async function shakeHands(own: TestCertificate, visitor?: TestCertificate): Promise<string> {
  const ca = readFileSync(certificates.ca);
  const server = createServer({ ...read(own), ca, requestCert: visitor !== undefined }, (socket) => {
    socket.end(socket.authorized ? "welcome" : "who are you");
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket: TLSSocket = connect({ port, host: "localhost", ca, ...(visitor && read(visitor)) });
  onTestFinished(() => void socket.destroy());
  const [greeting] = (await once(socket, "data")) as [Buffer];
  return greeting.toString();
}

test("a client that trusts the authority trusts the server", async () => {
  expect(await shakeHands(certificates.server)).toBe("who are you");
});

test("a server that trusts the authority trusts the client", async () => {
  expect(await shakeHands(certificates.server, certificates.client)).toBe("welcome");
});

test("the expired certificate is refused for that reason", async () => {
  await expect(shakeHands(certificates.expired)).rejects.toMatchObject({ code: "CERT_HAS_EXPIRED" });
});

test("the certificate of another host is refused for that reason", async () => {
  await expect(shakeHands(certificates.wrongHost)).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
});

test("removed certificates leave no file", async () => {
  const others = await TestCertificates.create();
  expect(existsSync(others.ca)).toBe(true);
  await others.remove();
  expect(existsSync(dirname(others.ca))).toBe(false);
});
