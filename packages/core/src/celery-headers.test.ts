import { describe, expect, it } from "vitest";
import { readCaptured } from "../test/wire/captured.ts";
import { decodeMessage } from "./celery-codec.ts";
import { isProtocolHeader, parkHeaders, parkedAtMs, retryHeaders } from "./celery-headers.ts";
import type { JsonObject } from "./json.ts";

const etaMs = Date.UTC(2026, 0, 1);
const headers: JsonObject = {
  task: "a.b",
  id: "id-1",
  retries: 1,
  root_id: "root",
  group: "g",
  group_index: 2,
  stamps: { s: 1 },
  "trace-id": { deep: [1] },
  "x-custom": "kept",
  compression: "application/x-gzip",
  q_max_retries: 5,
  q_from_the_future: true,
};

describe("retryHeaders", () => {
  it("keeps every field that it does not change", () => {
    const next = retryHeaders(headers, { retries: 2, etaMs, parentId: "id-1", sentAtMs: etaMs });
    expect(next).toEqual({
      ...headers,
      retries: 2,
      eta: "2026-01-01T00:00:00.000000+00:00",
      parent_id: "id-1",
      q_sent_at: etaMs,
    });
  });

  it("drops what brokers noted about earlier deliveries", () => {
    const noted = {
      "x-death": [{ count: 1 }],
      "x-first-death-queue": "a",
      "x-last-death-reason": "expired",
      redelivered: true,
    };
    expect(retryHeaders({ ...headers, ...noted }, { etaMs: null })).toEqual({ ...headers, eta: null });
  });

  it("ends an earlier eta when the message is to run at once", () => {
    expect(retryHeaders({ ...headers, eta: "2099-01-01T00:00:00Z" }, { retries: 0, etaMs: null })).toMatchObject({
      eta: null,
      retries: 0,
    });
  });

  it("notes whole milliseconds, which is what is read back", () => {
    expect(retryHeaders(headers, { etaMs: null, sentAtMs: 1000.4 })).toMatchObject({ q_sent_at: 1000 });
  });

  it("notes of a run that must not overlap others that it has begun", () => {
    expect(retryHeaders({ ...headers, q_no_overlap: true }, { retries: 0, etaMs: null })).toMatchObject({
      q_begun: true,
    });
    expect(retryHeaders(headers, { retries: 1, etaMs: null })).not.toHaveProperty("q_begun");
  });

  it("does not change the table that it was given", () => {
    const before = structuredClone(headers);
    retryHeaders(headers, { retries: 9, etaMs, sentAtMs: 1 });
    expect(headers).toEqual(before);
  });

  it("says what Celery's own worker says when it retries", () => {
    const [first, second] = readCaptured().filter(({ name }) => name.startsWith("celery-5.2-redis worker_retry "));
    if (first === undefined || second === undefined) throw new Error("the captured retry is gone");
    const ours = retryHeaders(first.message.headers, { retries: 1, etaMs, parentId: first.message.id });
    const own = { origin: "", eta: "" };
    expect({ ...ours, ...own }).toEqual({ ...second.message.headers, ...own });
  });
});

describe("parkHeaders", () => {
  it("notes the time and changes nothing else; a retry forgets it", () => {
    const parked = parkHeaders({ ...headers, "x-death": [] }, 1234);
    expect(parked).toEqual({ ...headers, q_parked_at: 1234 });
    expect([parkedAtMs(headers), parkedAtMs(parked), parkedAtMs({ q_parked_at: "x" })]).toEqual([null, 1234, null]);
    expect(parkedAtMs(retryHeaders(parked, { etaMs: null }))).toBeNull();
  });
});

describe("isProtocolHeader", () => {
  it("knows every header that Celery sends", () => {
    const names = readCaptured()
      .filter(({ name }) => !name.includes(" headers "))
      .flatMap(({ message }) => Object.keys(message.headers));
    expect(new Set(names).size).toBeGreaterThan(18);
    expect(names.filter((name) => !isProtocolHeader(name))).toEqual([]);
  });

  it("leaves all other names to the user", () => {
    expect(["x-trace", "traceparent", "x-deaths", "tasks", "q"].filter(isProtocolHeader)).toEqual([]);
    expect(["q_anything", "__proto__", "x-death", "x-first-death-queue"].every(isProtocolHeader)).toBe(true);
  });
});

it("hands user headers to the task and hides our own", () => {
  const [plain] = readCaptured();
  if (plain === undefined) throw new Error("nothing was captured");
  const message = {
    ...plain.message,
    headers: { ...plain.message.headers, ...headers, compression: null, q_sent_at: 5 },
  };
  expect(decodeMessage(message)).toMatchObject({
    headers: { "trace-id": { deep: [1] }, "x-custom": "kept" },
    maxRetries: 5,
    sentAtMs: 5,
  });
});
