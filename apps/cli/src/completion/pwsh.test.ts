import { expect, test } from "vitest";
import type { CompletionCommand } from "./completion-spec.ts";
import { pwshCompletion } from "./pwsh.ts";

// PowerShell is not in the distribution, so nothing here runs the script: these tests read it.

const queuesFlag = { names: ["-Q", "--queues"], long: "--queues", value: "required", valueName: "names" } as const;
const commands: readonly CompletionCommand[] = [
  {
    path: "queues list",
    summary: "what's there",
    flags: [{ ...queuesFlag, about: "only \u2018these\u2019" }],
    operand: undefined,
  },
  { path: "queues pause", summary: "stop ([{", flags: [], operand: "queues" },
  { path: "send", summary: 'send "one"', flags: [], operand: "tasks" },
  { path: "completion", summary: "a script", flags: [], operand: ["bash", "pwsh"] },
];

/** The quotes and brackets of a script that have no partner. */
function unpaired(script: string): string {
  let left = script.replaceAll(/^#.*$|'(?:[^']|'')*'|"[^"]*"/gm, "").replaceAll(/[^'"()[\]{}]/g, "");
  for (let before = ""; before !== left;) {
    before = left;
    left = left.replaceAll(/\(\)|\[\]|\{\}/g, "");
  }
  return left;
}

test("the PowerShell script closes every text and every bracket that it opens", () => {
  expect(unpaired("if (a) { 'it''s (' }")).toBe("");
  expect(unpaired("if (a) { 'it's (' }")).not.toBe("");
  expect(unpaired(pwshCompletion(commands))).toBe("");
});

test("in the PowerShell script a quote inside a text is doubled, also a curly one", () => {
  const script = pwshCompletion(commands);
  expect(script).toContain("'list # what''s there'");
  expect(script).toContain("'--queues # only \u2018\u2018these\u2019\u2019'");
});

test("the PowerShell script offers commands, verbs, flags and words, and asks q for the names of a project", () => {
  const script = pwshCompletion(commands);
  expect(script).toContain(`'' { 'queues # what''s there', 'send # send "one"', 'completion # a script' }`);
  expect(script).toContain(`{ $_ -cin @('-Q', '--queues') } { & $names queues }`);
  expect(script).toContain("'queues' { if ($isFlag) {  } else { 'list # what''s there', 'pause # stop ([{' } }");
  expect(script).toContain("'queues pause' { if ($isFlag) {  } else { & $names queues } }");
  expect(script).toContain("'send' { if ($isFlag) {  } else { & $names tasks } }");
  expect(script).toContain("'completion' { if ($isFlag) {  } else { 'bash', 'pwsh' } }");
  expect(script).toContain("& $words[0] __complete $kind");
});
