import { describe, expect, test } from "vitest";
import { terminalOf, type TerminalFacts } from "./terminal.ts";

const tty = { isTTY: true, columns: 100 };
const onTerminal: TerminalFacts = { stdin: tty, stdout: tty, stderr: tty, env: {}, noColor: false, noInput: false };
const piped: TerminalFacts = { ...onTerminal, stdin: {}, stdout: {}, stderr: {} };

describe("colours", () => {
  test.each([
    ["on a terminal", onTerminal, true],
    ["in a pipe", piped, false],
    ["with FORCE_COLOR in a pipe", { ...piped, env: { FORCE_COLOR: "1" } }, true],
    ["with FORCE_COLOR=0", { ...onTerminal, env: { FORCE_COLOR: "0" } }, false],
    ["with NO_COLOR against FORCE_COLOR", { ...onTerminal, env: { NO_COLOR: "1", FORCE_COLOR: "1" } }, false],
    ["with an empty NO_COLOR", { ...onTerminal, env: { NO_COLOR: "" } }, true],
    ["with --no-color against FORCE_COLOR", { ...onTerminal, env: { FORCE_COLOR: "1" }, noColor: true }, false],
    ["on a dumb terminal", { ...onTerminal, env: { TERM: "dumb" } }, false],
  ] satisfies [string, TerminalFacts, boolean][])("%s: %j is %s", (_when, facts, expected) => {
    expect(terminalOf(facts).stdoutColor).toBe(expected);
  });
});

test("nobody is asked in a pipe, in CI, or with --no-input", () => {
  expect(terminalOf(onTerminal).interactive).toBe(true);
  expect(terminalOf({ ...onTerminal, stdin: {} }).interactive).toBe(false);
  expect(terminalOf({ ...onTerminal, env: { CI: "true" } }).interactive).toBe(false);
  expect(terminalOf({ ...onTerminal, noInput: true }).interactive).toBe(false);
});

test("nothing is redrawn in CI, for an agent, on a narrow or a dumb terminal", () => {
  expect(terminalOf(onTerminal).animated).toBe(true);
  for (const env of [{ CI: "1" }, { AI_AGENT: "1" }, { TERM: "dumb" }]) {
    expect(terminalOf({ ...onTerminal, env }).animated).toBe(false);
  }
  expect(terminalOf({ ...onTerminal, stderr: { isTTY: true, columns: 59 } }).animated).toBe(false);
});
