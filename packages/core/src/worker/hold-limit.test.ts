import { describe, expect, test } from "vitest";
import { hasCode } from "../q-error.ts";
import { checkHoldLimit } from "./hold-limit.ts";

const limit = { ms: 100_000, hint: "consumer_timeout = …" };

function refusal(timeLimitMs: number | null, workersLimitMs: number | null): unknown {
  try {
    checkHoldLimit(
      limit,
      [
        { name: "t.short", timeLimitMs: 10 },
        { name: "t.long", timeLimitMs },
      ],
      workersLimitMs,
    );
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("a task on a broker that takes messages back", () => {
  test("may run for four fifths of the time", () => {
    expect(refusal(80_000, null)).toBeUndefined();
  });

  test("is refused when it may run for longer, with what helps", () => {
    const error = refusal(80_001, null);
    expect(hasCode(error, "Q2033")).toBe(true);
    expect(error).toMatchObject({ hint: expect.stringContaining("consumer_timeout") as unknown });
    expect(String(error)).toContain("t.long");
  });

  test("has its worker's time limit when it has none itself", () => {
    expect(hasCode(refusal(null, 90_000), "Q2033")).toBe(true);
    expect(refusal(null, null)).toBeUndefined();
  });
});
