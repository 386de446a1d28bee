import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonError, scanJson } from "./json.ts";
import { parsePythonJson } from "./python-json.ts";

describe("parsePythonJson", () => {
  it("reads NaN and the infinities where values may stand", () => {
    expect(parsePythonJson('[NaN, Infinity, -Infinity, {"a": NaN}]')).toEqual([
      Number.NaN,
      Infinity,
      -Infinity,
      { a: Number.NaN },
    ]);
    expect(parsePythonJson('[NaN, "NaN, Infinity", true, false, null, -0, 1.5e3]')).toEqual([
      Number.NaN,
      "NaN, Infinity",
      true,
      false,
      null,
      -0,
      1500,
    ]);
  });

  it("reads integers beyond 2^53 as BigInt and all others as numbers", () => {
    expect(
      parsePythonJson("[9007199254740991, -9007199254740991, 9007199254740993, -18446744073709551616, 1e30]"),
    ).toEqual([9007199254740991, -9007199254740991, 9007199254740993n, -18446744073709551616n, 1e30]);
  });

  it("refuses an integer so long that reading it would take time", () => {
    expect(() => parsePythonJson(`[${"9".repeat(5000)}]`)).toThrow(/more than 4300 digits/);
  });

  it("reads every JSON text as JSON.parse does, but for keys called __proto__, also the slow way", () => {
    const dropProto = (key: string, value: unknown): unknown => (key === "__proto__" ? undefined : value);
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!scanJson(text, 1000).hasLongInteger);
        const fast = parsePythonJson(text, { maxDepth: 1000 });
        const slow = parsePythonJson(`[NaN, ${text}]`, { maxDepth: 1000 }) as unknown[];
        expect(slow[1]).toEqual(fast);
        expect(fast).toStrictEqual(JSON.parse(text, dropProto));
      }),
      { examples: [[{ a: JSON.parse('{"__proto__":null,"b":1}') as { b: number } }, undefined]] },
    );
  });

  it.each([
    "",
    " ",
    "[",
    "[1,]",
    "[,1]",
    "{",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{a:1}",
    '{"a":1 "b":2}',
    "[1 2]",
    "[1] 2",
    "nan",
    "NaNs",
    "+1",
    "01",
    "1.",
    ".5",
    "-",
    "--1",
    "-NaN",
    '"open',
    '"bad \\x escape"',
    '"line\nbreak"',
    "[NaN, tru]",
    "\u00a01",
    "\ufeff1",
  ])("refuses %j", (text) => {
    expect(() => parsePythonJson(text)).toThrow(JsonError);
  });

  it("says where the text stops being JSON, without repeating it", () => {
    expect(() => parsePythonJson('["secret", oops]')).toThrow(/^not JSON from character 12 on$/);
    expect(() => parsePythonJson('["secret"')).toThrow(/^not JSON: it ends too early$/);
  });

  it("refuses nesting before it parses, also in what is no JSON", () => {
    expect(() => parsePythonJson(`[NaN,${"[".repeat(1_000_000)}`)).toThrow(/nested deeper than 64 levels/);
  });

  it("drops the key __proto__ on the slow way too", () => {
    const value = parsePythonJson(
      '{"n": NaN, "__proto__": {"polluted": 1}, "\\u005f_proto__": {"polluted": 1}}',
    ) as object;
    expect(Object.keys(value)).toEqual(["n"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});
