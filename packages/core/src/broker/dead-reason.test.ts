import { expect, test } from "vitest";
import { parseDeadReason } from "./dead-reason.ts";

test("a stored reason is read as it was written", () => {
  const reason = { code: "failed", message: "Error: no", error: { name: "Error" }, worker: "w1" };
  expect(parseDeadReason(JSON.stringify(reason))).toEqual(reason);
});

test.each(["", "null", "[]", "{}", '{"code":"x"}', '{"code":1,"message":"m"}', "[".repeat(100_000)])(
  "a reason that somebody else wrote is an unknown one: %#",
  (text) => {
    expect(parseDeadReason(text)).toMatchObject({ code: "unknown" });
  },
);
