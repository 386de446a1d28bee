import { expect, test } from "vitest";
import { pack, unpack } from "./packed.ts";

function roundTrip(texts: readonly string[]): readonly (string | Buffer)[] {
  const { sizes, bytes } = pack(texts);
  return unpack(sizes.split(" ").map(Number), Buffer.from(bytes));
}

test.each([
  ["ASCII", ["a", "", "bc", '{"d":1}']],
  ["other letters", ["Zoë", "🐘", "", "日本", "a"]],
  ["more than a string may hold", Array.from({ length: 3000 }, (_, index) => `${index} ${"x".repeat(50)} ü`)],
])("texts come back as they were: %s", (_what, texts) => {
  expect(roundTrip(texts)).toEqual(texts);
});

test("large texts, which a script answers one by one, come back as they were", () => {
  const bytes = Buffer.from([0xc3]);
  expect(unpack([1, 2, 1], [Buffer.from("a"), Buffer.from("é"), bytes])).toEqual(["a", "é", bytes]);
});

test("what is no UTF-8 comes back as bytes, though together with its neighbour it would be", () => {
  const [lead, rest] = [Buffer.from([0xc3]), Buffer.from([0xa9])];
  expect(unpack([1, 1, 2], Buffer.concat([lead, rest, Buffer.from("é")]))).toEqual([lead, rest, "é"]);
});
