import { expect, test } from "vitest";
import { areNumbersExact } from "./exact-numbers.ts";

test.each([
  "9007199254740991",
  "-9007199254740991",
  "10000000000000000",
  "[0, -0, 1.5, 1e400, 0.1234567890123456789, 1E-7]",
  '{"9007199254740993": "9007199254740993", "a": "\\"9007199254740993"}',
])("%s is the same once it was read", (json) => {
  expect(areNumbersExact(json)).toBe(true);
});

test.each([
  "9007199254740993",
  '{"a":[-9007199254740993]}',
  '["\\\\", 12345678901234567890]',
  "1000000000000000000000",
])("%s is not", (json) => {
  expect(areNumbersExact(json)).toBe(false);
});

// With a pattern that goes back over what it has read, this would overflow the stack, or outlast the test.
test("a text may be long", () => {
  for (const piece of ["a", '"', "\\", '\\"', "1", "{["]) {
    const json = JSON.stringify([piece.repeat(2_000_000), ...Array.from({ length: 100_000 }, () => piece), 1, -1.5]);
    expect(areNumbersExact(json)).toBe(true);
  }
});
