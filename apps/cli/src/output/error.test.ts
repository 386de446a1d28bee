import { ConfigError } from "@q/core";
import { describe, expect, test } from "vitest";
import { colors } from "./colors.ts";
import { renderError, renderErrorJson } from "./error.ts";

const style = { colors: colors(false), verbose: false };
const error = new ConfigError("Q2003", 'no queue named "emial"', {
  hint: 'Did you mean "email"?',
  details: { known: "email, default" },
});

describe("renderError", () => {
  test("says what happened, the fix, and the facts, in columns, without a stack", () => {
    expect(renderError(error, style)).toBe(
      [
        'error Q2003  no queue named "emial"',
        '             Did you mean "email"?',
        "  known      email, default",
        "",
      ].join("\n"),
    );
  });

  test("shows the stack and its causes when asked", () => {
    const caused = new ConfigError("Q2002", "did not load", { cause: new TypeError("inner") });
    const text = renderError(caused, { ...style, verbose: true });
    expect(text).toMatch(/at .*error\.test\.ts/);
    expect(text).toContain("caused by TypeError: inner");
  });

  test("an error without a code of ours is a bug of ours, with its stack", () => {
    const text = renderError(new TypeError("x is not a function"), style);
    expect(text).toContain("error Q9001  q itself failed: TypeError: x is not a function");
    expect(text).toContain("please report it");
    expect(text).toMatch(/at .*error\.test\.ts/);
  });

  test("hides credentials and terminal escapes, wherever they stand", () => {
    const leaky = new ConfigError("Q1001", "cannot reach redis://a:secret@b \u001b[2J", {
      hint: "try redis://a:secret@c",
      details: { url: "redis://a:secret@d" },
      cause: new Error("redis://a:secret@e"),
    });
    const text = renderError(leaky, { ...style, verbose: true });
    expect(text).not.toContain("secret");
    expect(text).not.toContain("\u001b");
    expect(renderErrorJson(leaky)).not.toContain("secret");
  });
});

test("renderErrorJson prints one versioned document on one line", () => {
  const text = renderErrorJson(error);
  expect(text.endsWith("}\n")).toBe(true);
  expect(JSON.parse(text)).toEqual({
    v: 1,
    error: {
      code: "Q2003",
      message: 'no queue named "emial"',
      hint: 'Did you mean "email"?',
      details: { known: "email, default" },
    },
  });
});
