import { expect, test } from "vitest";
import { ArgumentsError } from "./arguments.ts";
import { Ignore, Reject, Retry } from "./errors.ts";
import { decide, type FailurePolicy } from "./outcome.ts";
import { retry } from "./retry-policy.ts";

const policy: FailurePolicy = {
  retryPolicy: retry(),
  defaultRetryDelayMs: 5000,
  maxRetries: 3,
  retries: 0,
  isAtMostOnce: false,
};
const after = (error: unknown, change: Partial<FailurePolicy> = {}) =>
  decide({ kind: "threw", error }, { ...policy, ...change }, 0.5);

class ForeignRetry extends Error {
  override readonly name = "Retry";
}
Object.defineProperty(ForeignRetry, "name", { value: "Retry" });

test("a handler that returns has succeeded", () => {
  expect(decide({ kind: "returned" }, policy, 0.5)).toEqual({ kind: "succeeded" });
});

test("an error is retried until the retries are used up, then dead with its chain of causes", () => {
  const error = new Error("outer", { cause: new TypeError("inner") });
  expect(after(error, { retries: 2 })).toMatchObject({ kind: "retry", delayMs: 5000 });
  expect(after(error, { retries: 3 })).toMatchObject({
    kind: "dead",
    reason: {
      code: "retries-exhausted",
      message: "Error: outer",
      error: { cause: { name: "TypeError", message: "inner" } },
    },
  });
});

test("Ignore, Reject and ctx.retry() win over the policy", () => {
  expect(after(new Ignore("nothing to do"))).toMatchObject({ kind: "ignored", error: { message: "nothing to do" } });
  expect(after(new Reject("never"))).toMatchObject({ kind: "dead", reason: { code: "rejected" } });
  expect(after(new Retry({ delay: "1h" }), { retryPolicy: undefined })).toMatchObject({
    kind: "retry",
    delayMs: 3_600_000,
  });
  expect(after(new Retry(), { retries: 3 })).toMatchObject({ kind: "dead", reason: { code: "retries-exhausted" } });
});

test.each<readonly [string, object]>([
  ["no delay", {}],
  ["a delay in words", { delayMs: "5m" }],
  ["no number for a delay", { delayMs: NaN }],
  ["a delay without end", { delayMs: Infinity }],
])("an error of another library that is called Retry, with %s, goes through the policy", (_, fields) => {
  const error = Object.assign(new ForeignRetry("of another library"), fields);
  expect(after(error, { retryPolicy: undefined })).toMatchObject({ kind: "dead", reason: { code: "failed" } });
  expect(after(error)).toMatchObject({ kind: "retry", delayMs: 5000 });
});

test.each([7, undefined])("a Retry of another copy of this package, with the delay %s, is one", (delayMs) => {
  const error = Object.assign(new ForeignRetry("of another copy"), { delayMs });
  expect(after(error, { retryPolicy: undefined })).toMatchObject({ kind: "retry", delayMs: delayMs ?? 5000 });
});

test("arguments that the task refuses are dead at once, although everything is retried", () => {
  const error = new ArgumentsError("Q3001", "t: args.id expected number");
  expect(decide({ kind: "refused", error }, policy, 0.5)).toMatchObject({
    kind: "dead",
    reason: { code: "invalid-arguments" },
  });
});

test("a message that is gone before it ran is never retried", () => {
  expect(after(new Retry(), { isAtMostOnce: true })).toMatchObject({ kind: "dead", reason: { code: "failed" } });
});

test.each([undefined, null, "text", 7, { message: "not an error" }, Object.create(null)])(
  "throwing %j is recorded, not raised",
  (thrown) => {
    expect(after(thrown, { maxRetries: 0 })).toMatchObject({
      kind: "dead",
      error: { name: expect.stringMatching(/NonError|UnreadableError/) },
    });
  },
);

test("an error whose properties throw is recorded, not raised", () => {
  const hostile = Object.defineProperty(new Error("x"), "message", {
    get() {
      throw new Error("from the getter");
    },
  });
  expect(after(hostile, { maxRetries: 0 })).toMatchObject({ kind: "dead", error: { name: "UnreadableError" } });
});

test.each(["y", "漢", "💥", "\u0000"])(
  "a reason stays under 16 KiB, also for a long chain of long messages of %j",
  (letter) => {
    let error = new Error(letter.repeat(100_000));
    for (let depth = 0; depth < 50; depth += 1) error = new Error(letter.repeat(100_000), { cause: error });
    const decision = after(error, { maxRetries: 0 });
    const reason = decision.kind === "dead" ? decision.reason : undefined;
    expect(reason?.error).toMatchObject({ name: "Error", message: expect.stringContaining(letter.repeat(400)) });
    expect(Buffer.byteLength(JSON.stringify(reason))).toBeLessThanOrEqual(16_384);
  },
);
