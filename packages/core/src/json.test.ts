import { describe, expect, it } from "vitest";
import { JsonError, isJsonObject, parseJson, scanJson, tryParseJson } from "./json.ts";

function failureOf(text: string, options?: { maxDepth: number }): JsonError {
  try {
    parseJson(text, options);
  } catch (error) {
    if (error instanceof JsonError) return error;
    throw error;
  }
  throw new Error("it was parsed");
}

describe("tryParseJson", () => {
  it("reads as parseJson does, and finds nothing in what that refuses", () => {
    expect(tryParseJson('{"a":[1],"__proto__":{}}')).toEqual({ a: [1] });
    expect(tryParseJson("null")).toBeNull();
    for (const text of ["", "{", "[".repeat(65) + "]".repeat(65)]) expect(tryParseJson(text)).toBeUndefined();
    expect(tryParseJson("[[1]]", { maxDepth: 1 })).toBeUndefined();
  });
});

describe("parseJson", () => {
  it("reads what JSON.parse reads", () => {
    const text = String.raw`{"a":[1,-2.5e3,true,null,"\"]}[{\\"],"b":{"ключ":"\ud83d\ude42"}}`;
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  it("counts nesting outside of strings only", () => {
    expect(parseJson(`["${"[".repeat(100)}"]`, { maxDepth: 1 })).toEqual(["[".repeat(100)]);
    expect(parseJson(String.raw`["\"[[", "\\", "[["]`, { maxDepth: 1 })).toEqual(['"[[', "\\", "[["]);
  });

  it("reads 64 levels and refuses the 65th", () => {
    expect(() => parseJson("[".repeat(64) + "]".repeat(64))).not.toThrow();
    expect(failureOf("[".repeat(65) + "]".repeat(65))).toMatchObject({
      kind: "depth",
      reason: "nested deeper than 64 levels",
    });
    expect(failureOf('{"a":[[1]]}', { maxDepth: 2 }).kind).toBe("depth");
  });

  it("refuses a million levels without overflowing the stack", () => {
    expect(failureOf("[".repeat(1_000_000)).kind).toBe("depth");
    expect(failureOf('{"a":'.repeat(1_000_000)).kind).toBe("depth");
  });

  it("never repeats the text in its error, nor in a cause", () => {
    const error = failureOf('{"password": "hunter2" oops}');
    expect(error.kind).toBe("syntax");
    expect(`${error.message} ${error.reason} ${String(error.cause)} ${error.stack ?? ""}`).not.toContain("hunter2");
  });

  it.each([
    ['{"__proto__": {"polluted": 1}, "a": 1}'],
    ['{"\\u005f_proto__": {"polluted": 1}, "a": 1}'],
    ['{"__pr\\u006Fto__": {"polluted": 1}, "a": 1}'],
    ['{"_\\u005Fproto\\u005f_": {"polluted": 1}, "a": 1}'],
  ])("drops the key __proto__, however it is spelled: %s", (text) => {
    const nested = parseJson(`[{"deep": ${text}}]`) as readonly [{ readonly deep: object }];
    expect(Object.keys(nested[0].deep)).toEqual(["a"]);
    expect(Object.assign({}, nested[0].deep)).not.toHaveProperty("polluted");
    expect({}).not.toHaveProperty("polluted");
  });

  it("keeps other unusual keys, and the text __proto__ as a value", () => {
    expect(parseJson('{"constructor": 1, "toString": 2, "a": "__proto__"}')).toEqual({
      constructor: 1,
      toString: 2,
      a: "__proto__",
    });
  });
});

describe("scanJson", () => {
  it.each([
    ["[1234567890123456]", true],
    ['{"a":-1234567890123456789}', true],
    ["1234567890123456", true],
    ["[123456789012345]", false],
    ['["1234567890123456"]', false],
    ["[0.1234567890123456]", false],
    ["[1234567890123456.5]", false],
    ["[1234567890123456e2]", false],
  ])("tells whether %s has a long integer", (text, expected) => {
    expect(scanJson(text, 64).hasLongInteger).toBe(expected);
  });
});

describe("isJsonObject", () => {
  it("is true for objects, not for arrays and null", () => {
    expect([{}, [], null, "a", 1, undefined].map(isJsonObject)).toEqual([true, false, false, false, false, false]);
  });
});
