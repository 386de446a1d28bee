import { expect, test } from "vitest";
import { refuseWhereReadOnly } from "./read-only.ts";

test.each(["1", "true", "yes", "on"])("Q_READ_ONLY=%s refuses changes", (value) => {
  expect(() => refuseWhereReadOnly({ Q_READ_ONLY: value })).toThrow(expect.objectContaining({ code: "Q2119" }));
});

test.each([undefined, "", "0", "false", "No"])("Q_READ_ONLY=%s does not", (value) => {
  expect(() => refuseWhereReadOnly({ Q_READ_ONLY: value })).not.toThrow();
});
