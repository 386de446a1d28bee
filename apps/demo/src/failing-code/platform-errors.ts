import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createDecipheriv } from "node:crypto";
import { readFileSync, rmdirSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import type { Failure } from "./failure.ts";

function missingFile(occurrence: number): unknown {
  return readFileSync(join(tmpdir(), `q-demo-no-such-upload-${occurrence}.csv`));
}

async function missingFileLater(occurrence: number): Promise<unknown> {
  return await readFile(join(tmpdir(), `q-demo-no-such-report-${occurrence}.pdf`));
}

async function folderExists(): Promise<unknown> {
  return await mkdir(tmpdir());
}

function folderNotEmpty(): unknown {
  return rmdirSync(join(import.meta.dirname, ".."));
}

function folderReadAsFile(): unknown {
  return readFileSync(import.meta.dirname);
}

function connectionRefused(): Promise<unknown> {
  // Nothing listens on the lowest port; asking for it is refused at once.
  return new Promise((_resolve, reject) => connect({ port: 1, host: "127.0.0.1" }).on("error", reject));
}

async function portInUse(): Promise<unknown> {
  const first = createServer();
  await new Promise<void>((resolve) => first.listen(0, "127.0.0.1", resolve));
  // True: the server listens on TCP, so its address has a port.
  const { port } = first.address() as AddressInfo;
  const second = createServer();
  try {
    return await new Promise((_resolve, reject) => second.on("error", reject).listen(port, "127.0.0.1"));
  } finally {
    first.close();
  }
}

function programMissing(): Promise<unknown> {
  return new Promise((_resolve, reject) => spawn("q-demo-no-such-program", ["--version"]).on("error", reject));
}

function wrongArgument(): unknown {
  return Buffer.from(JSON.parse("12") as string);
}

function wrongAddress(occurrence: number): unknown {
  return new URL(`http://[not-an-address-${occurrence}]/`);
}

function brokenArchive(): unknown {
  return inflateSync(Buffer.from("this was never compressed"));
}

function wrongKeyLength(): unknown {
  return createDecipheriv("aes-256-gcm", Buffer.alloc(7), Buffer.alloc(12));
}

function failedAssertion(occurrence: number): unknown {
  assert.equal(occurrence, -1, `the invoice of order ${occurrence} does not add up`);
  return undefined;
}

function notCloneable(): unknown {
  return structuredClone({ callback: () => undefined });
}

function notBase64(): unknown {
  return atob("%%%");
}

async function abortedWork(): Promise<unknown> {
  const controller = new AbortController();
  controller.abort();
  return await fetch("http://127.0.0.1:1/", { signal: controller.signal });
}

async function refusedRequest(): Promise<unknown> {
  return await fetch("http://127.0.0.1:1/rates");
}

/** What Node and the operating system refuse, with their codes; and DOMException. */
export const platformErrors: readonly Failure[] = [
  missingFile,
  missingFileLater,
  folderExists,
  folderNotEmpty,
  folderReadAsFile,
  wrongArgument,
  wrongAddress,
  brokenArchive,
  wrongKeyLength,
  failedAssertion,
  notCloneable,
  notBase64,
  abortedWork,
];

/** These need a socket or a process each. */
export const slowPlatformErrors: readonly Failure[] = [connectionRefused, portInUse, programMissing, refusedRequest];
