import { expect, test } from "vitest";
import { ageUs, nowUs, payload } from "./payload.ts";

test("every payload has 100 bytes as JSON", () => {
  for (const one of [payload(0), payload(99_999), payload(10_000_000, nowUs())]) {
    expect(Buffer.byteLength(JSON.stringify(one))).toBe(100);
  }
});

test("a payload knows when it was sent, also in another process", () => {
  expect(ageUs(payload(1, nowUs() - 5000))).toBeGreaterThanOrEqual(5000);
  expect(ageUs(payload(1, nowUs()))).toBeLessThan(1_000_000);
});
