import { EventEmitter, once } from "node:events";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { Worker } from "node:worker_threads";
import type { Failure } from "./failure.ts";

async function rejectedPromise(occurrence: number): Promise<unknown> {
  await null;
  throw new Error(`payment ${occurrence} was not confirmed`);
}

async function deepAsyncStack(occurrence: number): Promise<unknown> {
  const loadRow = async (): Promise<never> => {
    await null;
    throw new RangeError(`row ${occurrence} is outside of the table`);
  };
  const loadTable = async (): Promise<unknown> => {
    const row = await loadRow();
    return row;
  };
  const report = await loadTable();
  return report;
}

async function allOfMirrors(occurrence: number): Promise<unknown> {
  const mirrors = ["eu", "us", "ap"].map(async (region) => {
    throw new Error(`mirror ${region} has no file ${occurrence}`);
  });
  return await Promise.any(mirrors);
}

function errorInTimer(): Promise<unknown> {
  return new Promise((_resolve, reject) => {
    setTimeout(function flushMetrics() {
      reject(new Error("the timer found nothing to flush"));
    });
  });
}

async function emittedError(): Promise<unknown> {
  const upload = new EventEmitter();
  process.nextTick(function socketClosed() {
    upload.emit("error", new Error("the client went away"));
  });
  return await once(upload, "finish");
}

async function brokenStream(): Promise<unknown> {
  async function* pages(): AsyncGenerator<string> {
    yield "first page";
    throw new TypeError("the second page has no body");
  }
  return await pipeline(
    Readable.from(pages()),
    async function* count(source) {
      for await (const page of source) yield page;
    },
    async (source) => {
      for await (const _page of source) continue;
    },
  );
}

async function timedOut(): Promise<unknown> {
  const signal = AbortSignal.timeout(1);
  // AbortSignal's timer lets a process end, so something else has to keep it waiting.
  const waiting = setInterval(() => undefined, 1000);
  try {
    await once(signal, "abort");
    return signal.throwIfAborted();
  } finally {
    clearInterval(waiting);
  }
}

async function threadDied(occurrence: number): Promise<unknown> {
  const code = `
    const { workerData } = require("node:worker_threads");
    function resize(image) { return image.width / workerData; }
    resize(null);
  `;
  const thread = new Worker(code, { eval: true, workerData: occurrence });
  return await once(thread, "exit");
}

/** Errors that come from somewhere else than the call that started the work. */
export const asyncErrors: readonly Failure[] = [
  rejectedPromise,
  deepAsyncStack,
  allOfMirrors,
  errorInTimer,
  emittedError,
  brokenStream,
  timedOut,
];

/** A thread takes tens of milliseconds. */
export const slowAsyncErrors: readonly Failure[] = [threadDied];
