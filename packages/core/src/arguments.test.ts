import { runInNewContext } from "node:vm";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { anyMessage } from "../test/wire/any-message.ts";
import { ArgumentsError, assertJson, assertSize, namedArguments, validateArguments } from "./arguments.ts";
import { decodeMessage, encodeMessage } from "./celery-codec.ts";
import { plainCall } from "./message.ts";

function failureOf(run: () => unknown): ArgumentsError {
  try {
    run();
  } catch (error) {
    if (error instanceof ArgumentsError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function nested(levels: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level += 1) value = [value];
  return value;
}

class Invoice {
  readonly id = 1;
}

describe("assertJson", () => {
  it("accepts whatever can be sent and read back", () => {
    fc.assert(
      fc.property(anyMessage, ({ args, kwargs }) => {
        assertJson(args, "args");
        assertJson(kwargs, "args");
      }),
    );
  });

  it("accepts plain objects without a prototype or from another realm, and undefined properties", () => {
    const bare = Object.assign(Object.create(null) as object, { b: undefined });
    const foreign: unknown = runInNewContext("({ a: [1, { b: null }] })");
    expect(() => assertJson({ bare, foreign }, "args")).not.toThrow();
  });

  it.each([
    [
      "a Date",
      { user: { createdAt: new Date(0) } },
      "args.user.createdAt is a Date: send an ISO string, value.toISOString()",
    ],
    ["a Map", [new Map()], "args.0 is a Map: send an object, Object.fromEntries(value)"],
    ["a Set", { a: new Set() }, "args.a is a Set: send an array, [...value]"],
    ["a BigInt", { a: 12n }, "args.a is a BigInt: send it as text, value.toString()"],
    [
      "a Buffer",
      { a: Buffer.from("x") },
      'args.a is a Buffer: send text, value.toString("base64"), or store it and send its id',
    ],
    ["a URL", { a: new URL("http://a.test") }, "args.a is a URL: send its text, value.href"],
    [
      "a class instance",
      { a: new Invoice() },
      "args.a is an instance of Invoice: send an object of the fields that the task needs, or its id",
    ],
    ["an error", { a: new TypeError("x") }, "args.a is a TypeError: send its message"],
    ["a promise", { a: Promise.resolve() }, "args.a is a Promise: await it"],
    ["a function", { a: () => 1 }, "args.a is a function: send the name of what is to be done"],
    ["a method toJSON", { toJSON: () => 1 }, "args.toJSON is a function: send the name of what is to be done"],
    ["a symbol", { a: Symbol("x") }, "args.a is a symbol: send its description as text"],
    ["undefined in an array", { a: [1, undefined] }, "args.a.1 is undefined: send null"],
    // eslint-disable-next-line no-sparse-arrays
    ["a hole in an array", { a: [1, , 2] }, "args.a.1 is undefined: send null"],
    ["nothing", undefined, "args is undefined: send null"],
    ["NaN", { a: Number.NaN }, "args.a is NaN: send null, or leave it out"],
    ["an infinity", { a: [-Infinity] }, "args.a.0 is -Infinity: send null, or leave it out"],
    ["an odd key", { "a b": { c: new Date(0) } }, 'args["a b"].c is a Date: send an ISO string, value.toISOString()'],
    [
      "a boxed number",
      { a: Object(1) as unknown },
      "args.a is an instance of Number: send an object of the fields that the task needs, or its id",
    ],
  ])("refuses %s, saying where and what to do", (_, value, message) => {
    const error = failureOf(() => assertJson(value, "args"));
    expect([error.code, error.message]).toEqual(["Q3002", message]);
  });

  it("refuses an own key __proto__", () => {
    expect(failureOf(() => assertJson(JSON.parse('{"a": {"__proto__": {}}}'), "args")).message).toMatch(
      /^args\.a is an object with the key __proto__/,
    );
  });

  it("finds a cycle, and says where it closes", () => {
    const parent: { child: { parent?: unknown } } = { child: {} };
    parent.child.parent = parent;
    expect(failureOf(() => assertJson({ parent }, "args")).message).toMatch(
      /^args\.parent\.child\.parent is part of a cycle: /,
    );
    const self: unknown[] = [];
    self.push(1, self);
    expect(failureOf(() => assertJson(self, "args")).message).toMatch(/^args\.1 is part of a cycle: /);
  });

  it("lets a value stand in several places", () => {
    const shared = { a: 1 };
    expect(() => assertJson([shared, shared, { shared }], "args")).not.toThrow();
  });

  it("refuses exactly what would be too deep to be read", () => {
    const deepest = nested(63) as unknown[];
    assertJson(deepest, "args");
    const call = { ...plainCall, id: "1", rootId: "1", task: "a", queue: "q", args: deepest };
    expect(decodeMessage(encodeMessage(call)).args).toEqual(deepest);
    expect(failureOf(() => assertJson(nested(64), "args")).message).toMatch(/nested deeper than 63 levels/);
    expect(failureOf(() => assertJson(nested(100_000), "args")).code).toBe("Q3002");
  });
});

describe("assertSize", () => {
  it("tells size, limit and what to do", () => {
    assertSize("email.send", 65_536, 65_536);
    const error = failureOf(() => assertSize("email.send", 4_404_019, 65_536));
    expect(error.code).toBe("Q3003");
    expect(error.message).toBe(
      "email.send: the arguments and headers are 4.2 MiB (4404019 bytes), the limit is 64 KiB (65536 bytes)",
    );
    expect(error.hint).toMatch(/send its id/);
  });
});

describe("validateArguments", () => {
  const schema = z.object({ userId: z.number(), tags: z.array(z.object({ name: z.string() })).default([]) });

  it("answers at once with what a synchronous schema makes of it, unknown fields or not", () => {
    expect(validateArguments("a.b", schema, { userId: 1, later: true })).toEqual({ userId: 1, tags: [] });
  });

  it("answers with a promise when the schema is asynchronous", async () => {
    const slow = schema.refine(async ({ userId }) => await Promise.resolve(userId > 0), {
      path: ["userId"],
      error: "Must be above 0",
    });
    await expect(validateArguments("a.b", slow, { userId: 1 })).resolves.toEqual({ userId: 1, tags: [] });
    await expect(validateArguments("a.b", slow, { userId: 0 })).rejects.toMatchObject({
      code: "Q3001",
      message: "a.b: args.userId must be above 0, got a number",
    });
  });

  it("names task, place, expectation and type, and not the value", () => {
    const error = failureOf(() => validateArguments("events.save_event", schema, { userId: "hunter2" }));
    expect([error.code, error.message]).toEqual([
      "Q3001",
      "events.save_event: args.userId expected number, got a string",
    ]);
  });

  it("counts further issues and lists them as details", () => {
    const error = failureOf(() => validateArguments("a.b", schema, { tags: [{ name: 1 }, { name: 2 }] }));
    expect(error.message).toBe("a.b: args.userId expected number, got nothing, and 2 more");
    expect(Object.values(error.details)).toEqual([
      "args.tags.0.name expected string, got a number",
      "args.tags.1.name expected string, got a number",
    ]);
  });

  it.each([
    ["a text", { a: { b: "x" } }, "got a string"],
    ["an array", { a: { b: [] } }, "got an array"],
    ["nothing", {}, "got nothing"],
  ])("adds what it got when the schema does not say so: %s", (_, value, got) => {
    const issues = [{ message: "Must be an even number", path: ["a", { key: "b" }] }];
    const plain = { "~standard": { version: 1 as const, vendor: "test", validate: () => ({ issues }) } };
    expect(failureOf(() => validateArguments("t", plain, value)).message).toBe(
      `t: args.a.b must be an even number, ${got}`,
    );
  });

  it("waits for a promise that is not the engine's own, as a library may have it", async () => {
    const refused = { issues: [{ message: "Taken", path: ["name"] }] };
    // oxlint-disable-next-line unicorn/no-thenable -- which is the point
    const validate = (): unknown => ({ then: (resolve: (result: object) => void) => resolve(refused) });
    const foreign = { "~standard": { version: 1, vendor: "test", validate } } as unknown as StandardSchemaV1;
    await expect(validateArguments("t", foreign, { name: "x" })).rejects.toMatchObject({
      code: "Q3001",
      message: "t: args.name taken, got a string",
    });
  });

  it("has words for a schema that gives no issues", () => {
    const silent = { "~standard": { version: 1 as const, vendor: "test", validate: () => ({ issues: [] }) } };
    expect(failureOf(() => validateArguments("t", silent, {})).message).toBe("t: args are refused by the schema");
  });
});

describe("namedArguments", () => {
  const call = { task: "save_event", args: [7, "new"], kwargs: { dry: true } };

  it("puts positional arguments under the names that the task declares", () => {
    expect(namedArguments(call, ["event_id", "kind", "dry"])).toEqual({ event_id: 7, kind: "new", dry: true });
    expect(namedArguments({ ...call, args: [7] }, ["event_id", "kind"])).toEqual({ event_id: 7, dry: true });
  });

  it("takes named arguments as they are", () => {
    expect(namedArguments({ ...call, args: [] }, undefined)).toBe(call.kwargs);
  });

  it.each([
    [
      "no names are declared",
      undefined,
      "save_event got 2 positional arguments, and does not declare how they are called",
    ],
    ["there are too few names", ["event_id"], "save_event takes 1 positional argument (event_id), got 2"],
    ["there are no names", [], "save_event takes no positional arguments, got 2"],
    ["one is named as well", ["event_id", "dry"], 'save_event got multiple values for argument "dry"'],
  ])("refuses a call when %s", (_, positional, message) => {
    const error = failureOf(() => namedArguments(call, positional));
    expect([error.code, error.message]).toEqual(["Q3004", message]);
  });

  it("says what to write when no names are declared", () => {
    expect(failureOf(() => namedArguments(call, undefined)).hint).toContain('positional: ["arg1", "arg2"]');
  });
});

it.each([
  ['Invalid type: Expected number but received "hunter2"', "args.pin expected number, got a string"],
  ['must be a number (was "hunter2")', "args.pin must be a number, got a string"],
])("what a schema quotes of the value is not repeated: %s", (message, expected) => {
  const schema: StandardSchemaV1 = {
    "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message, path: ["pin"] }] }) },
  };
  expect(() => validateArguments("t.x", schema, { pin: "hunter2" })).toThrow(`t.x: ${expected}`);
});

it("a key of any length that a schema quotes is looked through in no time", { timeout: 3000 }, () => {
  const strict = z.strictObject({});
  const error = failureOf(() => validateArguments("t.x", strict, { [" ".repeat(80_000)]: 1 }));
  expect(error.message).toMatch(/^t\.x: args unrecognized key: " +/);
});
