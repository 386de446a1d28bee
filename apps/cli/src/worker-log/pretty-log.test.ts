import { expect, test } from "vitest";
import { colors } from "../output/colors.ts";
import { PrettyLog } from "./pretty-log.ts";
import { Screen } from "./screen.ts";

/** What the log shows of one call of `info`, behind time and level. */
function shown(...call: readonly unknown[]): string {
  let text = "";
  const screen = new Screen({ write: (line) => (text += line) });
  const { logger } = new PrettyLog({ screen, colors: colors(false), level: "info" });
  // As code calls it that no compiler has checked.
  (logger.info as (...call: readonly unknown[]) => void)(...call);
  return text.replace(/^[\d:.]+ {2}info {2}/, "");
}

const cycle: Record<string, unknown> = { id: 1 };
cycle["self"] = cycle;
const failing = {
  toJSON: () => {
    throw new Error("no JSON");
  },
};
const unreadable = Object.defineProperty({}, "id", { enumerable: true, get: failing.toJSON });

test.each([
  ["a bigint", [{ order: { id: 12n } }, "saved"], 'saved  order={"id":12}\n'],
  ["a cycle", [{ order: cycle }, "saved"], 'saved  order={"id":1,"self":"[Circular]"}\n'],
  ["a value without JSON", [{ order: failing, n: 1 }, "saved"], "saved  order=[cannot be shown] n=1\n"],
  ["fields that cannot be read", [unreadable, "saved"], 'saved  fields="[cannot be shown]"\n'],
  ["a text alone", ["saved"], "saved\n"],
  ["a text with placeholders", ["%s has %d", "Ada", 12], "Ada has 12\n"],
  ["a text that cannot be made", ["%s", { toString: failing.toJSON }], "[cannot be shown]\n"],
  ["a text behind nothing", [undefined, "saved"], "saved\n"],
  ["a text with a percent sign", [{}, "100%s"], "100%s\n"],
  ["an error alone", [new Error("no way")], '  err="no way"\n'],
  ["fields alone", [{ n: 1 }], "  n=1\n"],
  ["nothing", [], "\n"],
] as const)("shows %s and fails no task", (_what, call, line) => {
  expect(shown(...call)).toBe(line);
});
