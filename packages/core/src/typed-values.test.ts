import { describe, expect, it } from "vitest";
import { reviveTyped } from "./typed-values.ts";

function revived(type: unknown, value: unknown): unknown {
  const container = [{ __type__: type, __value__: value }] as unknown[];
  reviveTyped(container);
  return container[0];
}

describe("reviveTyped", () => {
  it("makes what kombu writes into JavaScript's values", () => {
    expect(revived("datetime", "2031-05-06T07:08:09.123456+00:00")).toEqual(new Date("2031-05-06T07:08:09.123Z"));
    expect(revived("datetime", "2031-05-06T00:00:00")).toEqual(new Date("2031-05-06T00:00:00.000Z"));
    expect(revived("date", "2031-05-06")).toBe("2031-05-06");
    expect(revived("time", "07:08:09")).toBe("07:08:09");
    expect(revived("decimal", "1.10")).toBe("1.10");
    expect(revived("uuid", { hex: "00000000000000000000000000000001" })).toBe("00000000-0000-0000-0000-000000000001");
    expect(revived("bytes", "hé")).toEqual(new Uint8Array([0x68, 0xc3, 0xa9]));
    expect(revived("base64", "/wA=")).toEqual(new Uint8Array([0xff, 0x00]));
  });

  it("finds them at any depth", () => {
    const kwargs = {
      a: [{ b: { __type__: "decimal", __value__: "1" } }],
      c: { d: { __type__: "date", __value__: "2031-05-06" } },
    };
    reviveTyped(kwargs);
    expect(kwargs).toEqual({ a: [{ b: "1" }], c: { d: "2031-05-06" } });
  });

  it.each([
    ["a type that nobody knows", { __type__: "set", __value__: [1] }],
    ["a third key", { __type__: "date", __value__: "2031-05-06", more: 1 }],
    ["a missing value", { __type__: "date", other: 1 }],
    ["a time that is none", { __type__: "datetime", __value__: "tomorrow" }],
    ["a uuid that is none", { __type__: "uuid", __value__: { hex: "1" } }],
    ["bytes that are no text", { __type__: "bytes", __value__: [1] }],
    ["a type that is no text", { __type__: {}, __value__: "2031-05-06" }],
    ["a name from Object.prototype", { __type__: "constructor", __value__: "x" }],
  ])("leaves an object with %s as it is", (_, object) => {
    const container = [object];
    reviveTyped(container);
    expect(container).toEqual([structuredClone(object)]);
  });
});
