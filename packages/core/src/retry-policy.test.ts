import * as fc from "fast-check";
import { expect, test } from "vitest";
import { retry, retryDelayMs, verdict } from "./retry-policy.ts";

class Base extends Error {}
class Child extends Base {}

test("a task without a policy fails on its first error", () => {
  expect(verdict(undefined, new Error("x"))).toBe("fail");
});

test("retry() without on retries everything that is thrown", () => {
  expect(verdict(retry(), new Error("x"))).toBe("retry");
  expect(verdict(retry(), "a string")).toBe("retry");
});

test("ignore is asked before exclude, and exclude before on", () => {
  const policy = retry({ on: [Base], exclude: [Base], ignore: [Child] });
  expect(verdict(policy, new Child())).toBe("ignore");
  expect(verdict(policy, new Base())).toBe("fail");
  expect(verdict(policy, new TypeError())).toBe("fail");
});

test("a string matches the error's name or code, for errors of other package copies", () => {
  const policy = retry({ on: ["ECONNRESET", "SmtpError"] });
  expect(verdict(policy, Object.assign(new Error(), { code: "ECONNRESET" }))).toBe("retry");
  expect(verdict(policy, Object.assign(new Error(), { name: "SmtpError" }))).toBe("retry");
  expect(verdict(policy, new Error("ECONNRESET"))).toBe("fail");
});

test("without a backoff every delay is the default one", () => {
  expect([0, 1, 50].map((retries) => retryDelayMs(retry(), 5000, retries, 0.5))).toEqual([5000, 5000, 5000]);
});

test("a backoff grows by its factor up to its maximum", () => {
  const policy = retry({ backoff: { type: "exponential", factor: 3, max: "1m", jitter: false } });
  expect([0, 1, 2, 3, 4].map((retries) => retryDelayMs(policy, 1000, retries, 0.5))).toEqual([
    1000, 3000, 9000, 27_000, 60_000,
  ]);
});

test("jitter draws from the whole delay, never above it, however many retries there were", () => {
  const policy = retry({ backoff: { type: "exponential", max: "1h" } });
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (retries, random) => {
      const delayMs = retryDelayMs(policy, 1000, retries, random);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(Math.min(3_600_000, 1000 * 2 ** retries));
    }),
  );
});

test("a matcher that is undefined, as from a circular import, is an error that says so", () => {
  expect(() => retry({ on: [undefined as never] })).toThrow(
    expect.objectContaining({ code: "Q2013", hint: expect.stringContaining("import each other") }),
  );
});

test("a class that stands alone is refused with the list to write", () => {
  expect(() => retry({ on: TypeError as never })).toThrow(
    expect.objectContaining({
      code: "Q2013",
      message: "retry({ on }) is a function: expected an array of error classes or names",
      hint: "retry({ on: [DatabaseUnavailable] })",
    }),
  );
});

test("a misspelt option is an error that names the right one", () => {
  expect(() => retry({ igonre: [Error] } as never)).toThrow(
    expect.objectContaining({ code: "Q2011", hint: 'Did you mean "ignore"?' }),
  );
});

test("a function that is no class is refused: instanceof would throw when the first error comes", () => {
  expect(() => retry({ on: [((error: unknown) => error) as never] })).toThrow(
    expect.objectContaining({ code: "Q2013" }),
  );
});
