import { expect, test } from "vitest";
import { ageUs, nowUs, payload, payloadMaker } from "./payload.ts";

test("every payload has 100 bytes as JSON", () => {
  for (const one of [payload(0), payload(99_999), payload(10_000_000, nowUs())]) {
    expect(Buffer.byteLength(JSON.stringify(one))).toBe(100);
  }
});

test.each([100, 101, 1000, 10_000])("a payload of %i bytes has as many as JSON", (argumentBytes) => {
  const make = payloadMaker(argumentBytes);
  for (const one of [make(0), make(99_999, nowUs())])
    expect(Buffer.byteLength(JSON.stringify(one))).toBe(argumentBytes);
});

test("a payload knows when it was sent, also in another process", () => {
  expect(ageUs(payload(1, nowUs() - 5000))).toBeGreaterThanOrEqual(5000);
  expect(ageUs(payload(1, nowUs()))).toBeLessThan(1_000_000);
});
