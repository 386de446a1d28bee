import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bodySize, type BrokerMessage } from "./broker/broker-message.ts";
import { defaultDecodeLimits } from "./celery-body.ts";
import { decodeMessage } from "./celery-codec.ts";
import { DecodeError } from "./decode-error.ts";
import type { JsonObject } from "./json.ts";

const good: BrokerMessage = {
  id: "id-1",
  queue: "celery",
  priority: 0,
  headers: { task: "interop.echo", id: "id-1" },
  properties: { contentType: "application/json", contentEncoding: "utf-8" },
  body: Buffer.from('[[1],{"a":"b"},{}]'),
};

function withBody(body: string | Uint8Array, headers: JsonObject = {}): BrokerMessage {
  return {
    ...good,
    headers: { ...good.headers, ...headers },
    body: typeof body === "string" ? Buffer.from(body) : body,
  };
}

/** The code with which a message is refused, or its arguments. Anything else that is thrown fails the test. */
function fateOf(message: BrokerMessage): string | readonly unknown[] {
  try {
    return decodeMessage(message).args;
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
}

describe("a body", () => {
  it("is measured before anything else is done with it", () => {
    const limits = { ...defaultDecodeLimits, maxBytes: bodySize(good.body) - 1 };
    const pickled = {
      ...good,
      properties: { contentType: "application/x-python-serialize", contentEncoding: "binary" },
    };
    expect(() => decodeMessage(pickled, limits)).toThrow(expect.objectContaining({ code: "Q4101" }));
    expect(decodeMessage(good, { ...limits, maxBytes: bodySize(good.body) }).args).toEqual([1]);
  });

  it.each([
    "application/x-python-serialize",
    "application/x-yaml",
    "application/x-msgpack",
    "application/json; charset=utf-8",
    "",
    "x".repeat(1000),
  ])("of the content type %j is refused unread", (contentType) => {
    expect(fateOf({ ...withBody("not even json"), properties: { ...good.properties, contentType } })).toBe("Q4102");
  });

  it("may be in UTF-8 under any of its names, and in nothing else", () => {
    const fates = ["utf-8", "UTF-8", "utf8", "", "utf-16", "binary", "latin-1"].map((contentEncoding) =>
      fateOf({ ...good, properties: { ...good.properties, contentEncoding } }),
    );
    expect(fates).toEqual([[1], [1], [1], [1], "Q4102", "Q4102", "Q4102"]);
  });

  it("that is not UTF-8 is refused, not repaired", () => {
    expect(fateOf(withBody(Buffer.from([...Buffer.from('[["'), 0xff, ...Buffer.from('"],{},{}]')])))).toBe("Q4105");
  });

  it.each(["", "null", "[", "[[1],{},{}]x", "[[1],{},{}", "\u0000", "\ufeff[[],{},{}]"])("of %j is refused", (text) => {
    expect(["Q4105", "Q4106"]).toContain(fateOf(withBody(text)));
  });

  it("may hold NaN and long integers when Python wrote it", () => {
    expect(fateOf(withBody("[[NaN, 12345678901234567890], {}, {}]"))).toEqual([Number.NaN, 12345678901234567890n]);
    expect(fateOf(withBody("[[NaN], {}, {}]", { lang: "js" }))).toBe("Q4105");
  });

  it("that is refused says why, for the dead letter", () => {
    const message = "the body is not JSON: it ends too early";
    const reason = { code: "malformed", message, error: { name: "DecodeError", code: "Q4105", message } };
    expect(() => decodeMessage(withBody("[["))).toThrow(expect.objectContaining({ message, reason }));
  });

  it("is not quoted in the error", () => {
    const leaky = [withBody('[["hunter2" oops],{},{}]'), withBody('{"hunter2":"hunter2"}'), withBody('"hunter2"')];
    for (const message of leaky) {
      expect(() => decodeMessage(message)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining("hunter2") as string }),
      );
    }
  });
});

describe("a compressed body", () => {
  const body = good.body;

  it.each([
    ["zlib, as kombu writes it", "application/x-gzip", deflateSync(body)],
    ["real gzip", "application/x-gzip", gzipSync(body)],
    ["brotli", "application/x-brotli", brotliCompressSync(body)],
  ])("in %s is read", (_, compression, compressed) => {
    expect(fateOf(withBody(compressed, { compression }))).toEqual([1]);
  });

  it.each(["application/x-bz2", "application/x-lzma", "application/zstd", "constructor", 7, {}])(
    "in %j is refused by name",
    (compression) => {
      expect(fateOf(withBody(deflateSync(body), { compression }))).toBe("Q4103");
      expect(() => decodeMessage(withBody(body, { compression: "application/x-bz2" }))).toThrow(
        /"application\/x-bz2" is not one that q reads/,
      );
    },
  );

  it("that is broken is refused", () => {
    const compressed = deflateSync(Buffer.alloc(1000, "x"));
    const broken = [Buffer.alloc(0), body, compressed.subarray(0, -5), compressed.subarray(3)];
    expect(broken.map((bytes) => fateOf(withBody(bytes, { compression: "application/x-gzip" })))).toEqual([
      "Q4103",
      "Q4103",
      "Q4103",
      "Q4103",
    ]);
  });

  it("that grows beyond the limit is refused while it grows", () => {
    const bomb = Buffer.alloc(16 * 1024 * 1024);
    expect(fateOf(withBody(deflateSync(bomb), { compression: "application/x-gzip" }))).toBe("Q4101");
    expect(fateOf(withBody(brotliCompressSync(bomb), { compression: "application/x-brotli" }))).toBe("Q4101");
  });
});

describe("hostile JSON", () => {
  it("of a million levels is refused by its depth", () => {
    for (const text of [
      "[".repeat(1_000_000),
      `[NaN,${"[".repeat(1_000_000)}`,
      '{"a":'.repeat(200_000),
      `[[${"[".repeat(63)}${"]".repeat(63)}],{},{}]`,
    ]) {
      expect(fateOf(withBody(text))).toBe("Q4104");
      expect(fateOf(withBody(text, { lang: "js" }))).toBe("Q4104");
    }
  });

  it.each(["__proto__", "\\u005f_proto__", "__prot\\u006f__", "\\u005F\\u005Fproto\\u005f\\u005f"])(
    "with the key %s pollutes nothing",
    (key) => {
      for (const lang of ["js", "py"]) {
        for (const more of ["1", lang === "py" ? "NaN" : "2"]) {
          const pollution = `{"${key}": {"polluted": true}, "n": ${more}}`;
          const decoded = decodeMessage(
            withBody(`[[${pollution}], ${pollution}, {"chain": [${pollution}], "${key}": {"polluted": true}}]`, {
              lang,
            }),
          );
          for (const part of [
            decoded.args[0] as object,
            decoded.kwargs,
            (decoded.embed["chain"] as readonly object[])[0] ?? {},
          ]) {
            expect(Object.keys(part)).toEqual(["n"]);
            expect(Object.assign({}, part)).not.toHaveProperty("polluted");
            expect({}).not.toHaveProperty("polluted");
          }
        }
      }
    },
  );

  it("with the key __proto__ in the headers or in protocol 1 pollutes nothing", () => {
    const headers = JSON.parse('{"task": "a", "id": "1", "__proto__": {"polluted": true}, "x": 1}') as JsonObject;
    expect(decodeMessage({ ...good, headers }).headers).toEqual({ x: 1 });
    const old = withBody('{"task": "a", "id": "1", "__proto__": {"polluted": true}}');
    expect(decodeMessage({ ...old, headers: {} })).not.toHaveProperty("polluted");
  });
});
