import { expect, test } from "vitest";
import { redactStrings } from "./redact-strings.ts";

test("hides those in every string of a document, however deep, and leaves all else", () => {
  const url = "redis://app:hunter2@cache";
  const document = { message: url, retries: 3, at: null, cause: { stack: `Error: ${url}`, errors: [url, { url }] } };
  const hidden = "redis://app:***@cache";
  expect(redactStrings(document)).toEqual({
    message: hidden,
    retries: 3,
    at: null,
    cause: { stack: `Error: ${hidden}`, errors: [hidden, { url: hidden }] },
  });
});
