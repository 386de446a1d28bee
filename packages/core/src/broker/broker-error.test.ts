import { expect, test } from "vitest";
import { PublishFailed, PublishRejected, PublishUnknown, throwFailures } from "./broker-error.ts";

const rejected = new PublishRejected("Q1106", "no");
const unknown = new PublishUnknown("Q1102", "perhaps");

function thrown(failures: PublishFailed["failures"], count: number): unknown {
  try {
    throwFailures(failures, count);
    return undefined;
  } catch (error) {
    return error;
  }
}

test("one failure stands for all when all have failed with its code", () => {
  expect(
    thrown(
      new Map([
        [0, rejected],
        [1, new PublishRejected("Q1106", "no, too")],
      ]),
      2,
    ),
  ).toBe(rejected);
  expect(thrown(new Map(), 2)).toBeUndefined();
});

test("a call of which some failed, or each in its own way, tells of each", () => {
  expect(thrown(new Map([[1, rejected]]), 2)).toMatchObject({ code: "Q1103", failures: new Map([[1, rejected]]) });
  expect(
    thrown(
      new Map([
        [0, rejected],
        [1, unknown],
      ]),
      2,
    ),
  ).toBeInstanceOf(PublishFailed);
});
