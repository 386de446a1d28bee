import * as fc from "fast-check";
import { expect, test } from "vitest";
import { anyObject } from "../test/wire/any-message.ts";
import { readMembers, writeMembers } from "./raw-members.ts";

test("values are what is written, without the space around them", () => {
  const text = ' { "a" : 12345678901234567890 , "b\\u00e9\\"":[1.0, {"c": "}]\\\\"}],"e":{} } ';
  expect([...readMembers(text)]).toEqual([
    ["a", "12345678901234567890"],
    ['bé"', '[1.0, {"c": "}]\\\\"}]'],
    ["e", "{}"],
  ]);
});

test("of two members of one name the last one counts, as when it is parsed", () => {
  expect([...readMembers('{"a":1,"a":2}')]).toEqual([["a", "2"]]);
});

test("any object comes back from its members", () => {
  fc.assert(
    fc.property(anyObject, fc.boolean(), (object, isSpaced) => {
      const text = JSON.stringify(object, undefined, isSpaced ? 2 : undefined);
      const members = readMembers(text);
      expect([...members.keys()].toSorted()).toEqual(Object.keys(object).toSorted());
      expect(JSON.parse(writeMembers(members))).toEqual(object);
    }),
  );
});

test("null has none", () => {
  expect(readMembers("null").size).toBe(0);
});
