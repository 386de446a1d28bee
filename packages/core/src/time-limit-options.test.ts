import { expect, test } from "vitest";
import { readTimeLimits } from "./time-limit-options.ts";

test("limits are milliseconds, or none", () => {
  expect(readTimeLimits({})).toEqual({ softTimeLimitMs: null, timeLimitMs: null });
  expect(readTimeLimits({ softTimeLimit: "3s", timeLimit: "4s" })).toEqual({
    softTimeLimitMs: 3000,
    timeLimitMs: 4000,
  });
});

test.each(["1s", "3s"] as const)("a soft limit of 3s beside a hard one of %s is refused", (timeLimit) => {
  expect(() => readTimeLimits({ softTimeLimit: "3s", timeLimit }, ' of task "a"')).toThrow(
    expect.objectContaining({
      code: "Q2010",
      message: `softTimeLimit of task "a" is "3s", and timeLimit "${timeLimit}"`,
    }),
  );
});
