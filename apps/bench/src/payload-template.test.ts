import { expect, test } from "vitest";
import { payload } from "./payload.ts";
import { payloadTemplate } from "./payload-template.ts";

test("a template writes any payload as the sample was written", () => {
  const written = (index: number, sentAtUs: number): string => `[[], ${JSON.stringify(payload(index, sentAtUs))}, {}]`;
  const textOf = payloadTemplate(written(0, 0), payload(0));
  expect(textOf(payload(7, 1234))).toBe(written(7, 1234));
});

test("a text without the numbers of the sample is no template", () => {
  expect(() => payloadTemplate("[[], {}, {}]", payload(0))).toThrow("does not hold its numbers");
  const twice = JSON.stringify([payload(0), payload(0)]);
  expect(() => payloadTemplate(twice, payload(0))).toThrow("once");
});
