import { resolve } from "node:path";
import { expect, test } from "vitest";
import { readEvent } from "../events/check-event.ts";
import { caughtException } from "../events/error-event.ts";
import type { ErrorEvent, ExceptionValue, StackFrame } from "../events/error-event.ts";
import { fingerprintOf } from "../events/fingerprint.ts";
import { allFailures } from "../failing-code/all-failures.ts";
import { raise } from "../failing-code/failure.ts";
import { eventOfError, maxMessageLength } from "./event-of-error.ts";

const program = {
  project: "shop",
  release: "shop@1",
  environment: "test",
  root: resolve(import.meta.dirname, "../.."),
};

function eventOf(thrown: unknown): ErrorEvent {
  return eventOfError(thrown, program);
}

function values(thrown: unknown): readonly ExceptionValue[] {
  return eventOf(thrown).exception?.values ?? [];
}

function framesOf(thrown: unknown): readonly StackFrame[] {
  return caughtException(eventOf(thrown))?.stacktrace?.frames ?? [];
}

async function eventOfFailure(name: string, occurrence: number): Promise<ErrorEvent> {
  const failure = allFailures.find((one) => one.name === name);
  if (failure === undefined) throw new Error(`no failure named ${name}`);
  return eventOf((await raise(failure, occurrence)).value);
}

test("frames run from the outermost call to the place that threw, with file, line and whether they are our own", () => {
  function innermost(): never {
    throw new Error("here");
  }
  function outer(): void {
    innermost();
  }
  let thrown: unknown;
  try {
    outer();
  } catch (error) {
    thrown = error;
  }
  const frames = framesOf(thrown);
  expect(frames.slice(-2).map((frame) => frame.function)).toEqual(["outer", "innermost"]);
  expect(frames.at(-1)).toMatchObject({ filename: "src/reporter/event-of-error.test.ts", in_app: true });
  expect(frames.at(-1)?.lineno).toBeGreaterThan(30);
  expect(frames.some((frame) => frame.in_app === false)).toBe(true);
});

test("a stack that somebody has read before is parsed from its text", () => {
  function failing(): Error {
    return new Error("read");
  }
  const error = failing();
  expect(error.stack).toContain("failing");
  expect(framesOf(error).at(-1)).toMatchObject({
    function: "failing",
    filename: "src/reporter/event-of-error.test.ts",
    in_app: true,
  });
});

test("reading a stack leaves no hook behind", () => {
  const before = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  eventOf(new Error("x"));
  expect(Object.getOwnPropertyDescriptor(Error, "prepareStackTrace")).toEqual(before);
});

test("causes come first, the error that was caught last, each with its parent", () => {
  const error = new Error("outer", { cause: new TypeError("middle", { cause: "inner" }) });
  const found = values(error);
  expect(found.map(({ type, value }) => `${type}: ${value}`)).toEqual([
    "thrown string: inner",
    "TypeError: middle",
    "Error: outer",
  ]);
  expect(found.map(({ mechanism }) => [mechanism?.exception_id, mechanism?.parent_id])).toEqual([
    [2, 1],
    [1, 0],
    [0, undefined],
  ]);
});

test("the parts of an AggregateError are in the event", () => {
  const types = values(new AggregateError([new RangeError("a"), new URIError("b")], "both")).map(({ type }) => type);
  expect(types).toEqual(["URIError", "RangeError", "AggregateError"]);
});

test("causes in a circle end, and a long chain is cut", async () => {
  expect((await eventOfFailure("causesInCircle", 0)).exception?.values).toHaveLength(2);
  expect((await eventOfFailure("thirtyCauses", 0)).exception?.values).toHaveLength(20);
});

test("a long message is cut", () => {
  expect(values(new Error("x".repeat(100_000)))[0]?.value).toHaveLength(maxMessageLength);
});

test("the code of a system error is a tag", async () => {
  expect((await eventOfFailure("missingFile", 0)).tags).toMatchObject({ "error.code": "ENOENT" });
});

test.each(allFailures.map((failure) => [failure.name] as const))(
  "%s makes an event that the service takes, in the same group every time",
  async (name) => {
    const first = await eventOfFailure(name, 1);
    const second = await eventOfFailure(name, 22);
    expect(readEvent(JSON.stringify(first))).toMatchObject({ event_id: first.event_id });
    expect(fingerprintOf(second)).toBe(fingerprintOf(first));
  },
);

test("no two kinds of failing code are in one group", async () => {
  const events = await Promise.all(allFailures.map(({ name }) => eventOfFailure(name, 3)));
  expect(new Set(events.map(fingerprintOf)).size).toBe(allFailures.length);
});

test("every kind of error of the language is among them", async () => {
  const events = await Promise.all(allFailures.map(({ name }) => eventOfFailure(name, 3)));
  const types = new Set(events.flatMap((event) => event.exception?.values.map(({ type }) => type) ?? []));
  const kinds = [
    "Error",
    "TypeError",
    "RangeError",
    "ReferenceError",
    "SyntaxError",
    "URIError",
    "EvalError",
    "AggregateError",
  ];
  expect([...types]).toEqual(expect.arrayContaining([...kinds, "DataCloneError", "AbortError", "thrown undefined"]));
});
