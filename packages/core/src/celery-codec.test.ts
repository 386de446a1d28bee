import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyMessage } from "../test/wire/any-message.ts";
import { readCaptured, type Captured } from "../test/wire/captured.ts";
import { lint } from "../test/wire/lint.ts";
import type { BrokerMessage } from "./broker/broker-message.ts";
import { decodeMessage, encodeMessage } from "./celery-codec.ts";
import type { JsonValue } from "./json.ts";
import { plainCall, type Message } from "./message.ts";

const captured = readCaptured();
const call: Message = {
  ...plainCall,
  id: "id-1",
  rootId: "id-1",
  task: "events.save",
  queue: "events",
  kwargs: { eventId: "e1" },
};

function find(name: string): Captured {
  const found = captured.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no captured message is called ${name}`);
  return found;
}

/** A message of Celery's with other headers, properties or body. */
function altered(change: { headers?: object; properties?: object; body?: unknown }): BrokerMessage {
  const { message, body } = find("celery-5.2-redis plain 1");
  return {
    ...message,
    headers: { ...message.headers, ...change.headers },
    properties: { ...message.properties, ...change.properties },
    body: Buffer.from(JSON.stringify(change.body ?? body)),
  };
}

/** Date.parse drops microseconds, and the codec rounds up. */
function possibleTimes(header: JsonValue | undefined): readonly (number | null)[] {
  return typeof header === "string" ? [Date.parse(header), Date.parse(header) + 1] : [null];
}

function withoutNulls(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

describe("decodeMessage on messages captured from Celery", () => {
  it("has all of them", () => {
    expect(captured).toHaveLength(148);
  });

  // These hold values that kombu writes in a form of its own; they have tests below.
  const typed = /^celery-5\.6-\w+ (?:datetime|types) /;

  it.each(captured.map((one) => [one.name, one] as const))("reads %s", (_, { name, message, body }) => {
    const { headers } = message;
    const decoded = decodeMessage(message);
    expect(decoded).toMatchObject({
      id: headers["id"],
      task: headers["task"],
      queue: message.queue,
      priority: message.priority,
      retries: headers["retries"],
      rootId: headers["root_id"],
      parentId: headers["parent_id"],
      groupId: headers["group"],
      replyTo: message.properties.replyTo,
      maxRetries: null,
      sentAtMs: null,
    });
    expect(decoded.embed).toEqual(withoutNulls(body[2]));
    const { args, kwargs } = decoded;
    expect([typed.test(name) ? body[0] : args, kwargs]).toEqual(body.slice(0, 2));
    expect(possibleTimes(headers["eta"])).toContain(decoded.etaMs);
    expect(possibleTimes(headers["expires"])).toContain(decoded.expiresMs);
  });

  it("finds the user's headers and nothing of the protocol's", () => {
    const found = captured.map(({ name, message }) => ({ name, headers: decodeMessage(message).headers }));
    expect(found).toEqual(
      captured.map(({ name }) => ({
        name,
        headers: name.includes(" headers ") ? { "x-trace": "abc", nested: { a: 1 } } : {},
      })),
    );
  });

  it("reads time limits as milliseconds, hard one first", () => {
    expect(decodeMessage(find("celery-5.2-redis time_limits 1").message)).toMatchObject({
      timeLimitMs: 30_000,
      softTimeLimitMs: 20_000,
    });
  });

  it("reads kombu's typed values in arguments", () => {
    for (const broker of ["redis", "amqp"]) {
      expect(decodeMessage(find(`celery-5.6-${broker} datetime 1`).message).args).toEqual([
        new Date("2031-05-06T07:08:09.123Z"),
        new Date("2031-05-06T00:00:00.000Z"),
        "2031-05-06",
        "07:08:09",
      ]);
      expect(decodeMessage(find(`celery-5.6-${broker} types 1`).message).args).toEqual([
        "00000000-0000-0000-0000-000000000001",
        "1.10",
        [1, 2],
      ]);
    }
  });

  it("can send each of them on, with the same meaning", () => {
    const outsideJson = / (?:nan|numbers|datetime|types) /;
    const ordinary = captured.filter(({ name }) => !outsideJson.test(name));
    expect(ordinary.length).toBeGreaterThan(130);
    for (const { message } of ordinary) {
      const decoded = decodeMessage(message);
      const encoded = encodeMessage(decoded);
      expect(lint(encoded)).toEqual([]);
      expect(decodeMessage(encoded)).toEqual(decoded);
    }
  });
});

describe("encodeMessage", () => {
  it("writes what decodeMessage reads back, for every message, and what Celery takes", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const encoded = encodeMessage(message);
        expect(lint(encoded)).toEqual([]);
        expect(decodeMessage(encoded)).toEqual(message);
      }),
      { numRuns: 500 },
    );
  });

  it("sends three headers and a bare body when the call says nothing special", () => {
    const { headers, properties, body } = encodeMessage(call);
    expect(headers).toEqual({ lang: "js", task: "events.save", id: "id-1" });
    expect(properties).toEqual({ contentType: "application/json", contentEncoding: "utf-8" });
    expect(Buffer.from(body).toString()).toBe('[[],{"eventId":"e1"},{}]');
  });

  it("names the id for those who wait for a reply", () => {
    expect(encodeMessage({ ...call, replyTo: "reply-queue" }).properties).toMatchObject({
      correlationId: "id-1",
      replyTo: "reply-queue",
    });
  });

  it("writes times with six digits, and time limits in seconds", () => {
    const etaMs = Date.UTC(2026, 0, 2, 3, 4, 5, 60);
    expect(encodeMessage({ ...call, etaMs, softTimeLimitMs: 1500 }).headers).toMatchObject({
      eta: "2026-01-02T03:04:05.060000+00:00",
      timelimit: [null, 1.5],
    });
  });

  it("does not let a user's header pass for one of the protocol's", () => {
    const headers = { task: "other", eta: "2099-01-01", "x-death": [], q_sent_at: 1, trace: "t" };
    expect(encodeMessage({ ...call, headers }).headers).toEqual({
      lang: "js",
      task: "events.save",
      id: "id-1",
      trace: "t",
    });
  });

  it("keeps a large number of JavaScript's a number", () => {
    const kwargs = { big: 1e18, typed: { __type__: "date", __value__: "2031-05-06" } };
    expect(decodeMessage(encodeMessage({ ...call, kwargs })).kwargs).toEqual(kwargs);
  });
});

describe("lint", () => {
  it.each([
    ["six digits", { headers: { eta: "2026-01-01T00:00:00.5+00:00" } }],
    ["exactly application/json", { properties: { contentType: "application/json; charset=utf-8" } }],
    ["exactly three", { body: [[], {}] }],
    ["args is a list", { body: [null, {}, {}] }],
    ["header id", { headers: { id: 7 } }],
    ["lang", { headers: {} }],
  ])("finds that a message is not: %s", (rule, change) => {
    expect(lint(altered(change)).join("; ")).toContain(rule);
  });
});

describe("decodeMessage on odd messages", () => {
  it.each([
    ["retries", { retries: "2" }, { retries: 0 }],
    ["negative retries", { retries: -1 }, { retries: 0 }],
    ["time limits of no list", { timelimit: "soon" }, { timeLimitMs: null, softTimeLimitMs: null }],
    ["no time limits", { timelimit: null }, { timeLimitMs: null, softTimeLimitMs: null }],
    ["a time limit of 0", { timelimit: [0, 1.5] }, { timeLimitMs: null, softTimeLimitMs: 1500 }],
    ["no root", { root_id: null }, { rootId: "bf315421-a3ec-41c4-935d-249d67951b4a" }],
    ["a numeric id", { id: 42, root_id: null }, { id: "42", rootId: "42" }],
    ["an odd extension", { q_sent_at: "yesterday", q_max_retries: -3 }, { sentAtMs: null, maxRetries: null }],
  ])("reads one with %s", (_, headers, expected) => {
    expect(decodeMessage(altered({ headers }))).toMatchObject(expected);
  });

  it.each([
    ["no id", { headers: { id: null } }, /it has no id/],
    ["an empty id", { headers: { id: "" } }, /its id is not a text/],
    ["an id of 256 bytes", { headers: { id: "é".repeat(128) } }, /its id is not a text/],
    ["no task", { headers: { task: null } }, /it names no task/],
    ["a task that is a list", { headers: { task: ["a"] } }, /its task is not a text/],
    ["an empty eta", { headers: { eta: "" } }, /its eta is not/],
    ["a numeric eta", { headers: { eta: 1577836800 } }, /its eta is not/],
    ["an expires that is no time", { headers: { expires: "garbage" } }, /its expires is not/],
    ["two parts", { body: [[], {}] }, /three items, got 2/],
    ["four parts", { body: [[], {}, {}, {}] }, /three items, got 4/],
    ["args of null", { body: [null, {}, null] }, /positional arguments are not a list/],
    ["kwargs of a list", { body: [[], [], null] }, /named arguments are not an object/],
    ["an embed of text", { body: [[], {}, "x"] }, /third item/],
    ["a body of text", { body: "x" }, /neither a list nor an object/],
    ["a body of an object without args", { body: { kwargs: {} } }, /the body has no args/],
  ])("refuses one with %s", (_, change, message) => {
    expect(() => decodeMessage(altered(change))).toThrow(
      expect.objectContaining({ code: "Q4106", message: expect.stringMatching(message) as string }),
    );
  });

  it("rounds a time with microseconds up, so that nothing runs early", () => {
    const headers = { eta: "2026-11-22T05:34:38.098095+00:00", expires: "2026-11-22T05:34:38.098000+00:00" };
    const wholeMs = Date.UTC(2026, 10, 22, 5, 34, 38, 98);
    expect(decodeMessage(altered({ headers }))).toMatchObject({ etaMs: wholeMs + 1, expiresMs: wholeMs });
  });

  it("takes a root longer than any id for none, since all that the task sends carries it on", () => {
    const rootOf = (root: string): string => decodeMessage(altered({ headers: { id: "own", root_id: root } })).rootId;
    expect(rootOf("r".repeat(255))).toBe("r".repeat(255));
    expect(rootOf("r".repeat(256))).toBe("own");
  });

  it("takes a missing or null embed part for none", () => {
    expect(decodeMessage(altered({ body: [[], {}, null] })).embed).toEqual({});
    expect(decodeMessage(altered({ body: [[], {}, { chain: null, callbacks: [{ task: "a" }] }] })).embed).toEqual({
      callbacks: [{ task: "a" }],
    });
  });
});

describe("decodeMessage on protocol 1", () => {
  const old = {
    task: "old.task",
    id: "old-1",
    args: [1],
    kwargs: { a: 2 },
    retries: 2,
    eta: "2026-01-01T00:00:00",
    taskset: "g-1",
    utc: true,
  };

  function protocol1(body: object, headers: Record<string, string | number> = {}): BrokerMessage {
    return { ...altered({ body }), headers };
  }

  it("reads everything from the body", () => {
    const decoded = decodeMessage(
      protocol1({ ...old, callbacks: [{ task: "next" }], timelimit: [10, 5] }, { trace: "t" }),
    );
    expect(decoded).toMatchObject({
      id: "old-1",
      task: "old.task",
      args: [1],
      kwargs: { a: 2 },
      retries: 2,
      etaMs: Date.UTC(2026, 0, 1),
      groupId: "g-1",
      rootId: "old-1",
      timeLimitMs: 10_000,
      embed: { callbacks: [{ task: "next" }] },
      headers: { trace: "t" },
    });
  });

  it("needs only task and id", () => {
    expect(decodeMessage(protocol1({ task: "old.task", id: "old-1" }))).toMatchObject({
      args: [],
      kwargs: {},
      retries: 0,
    });
  });

  it("lets a header win over the body, so that a retry counts", () => {
    expect(decodeMessage(protocol1(old, { retries: 3 })).retries).toBe(3);
    expect(decodeMessage(protocol1(old, { task: "new.task", id: "new-1" }))).toMatchObject({
      task: "new.task",
      id: "new-1",
      retries: 2,
    });
  });

  it("reads a time without offset as local when the sender was not on UTC", () => {
    expect(decodeMessage(protocol1({ ...old, utc: false })).etaMs).toBe(new Date(2026, 0, 1).getTime());
  });

  it("refuses an object that is no call", () => {
    expect(() => decodeMessage(protocol1({ hello: "world" }))).toThrow(expect.objectContaining({ code: "Q4106" }));
  });
});
