import { expect, test } from "vitest";
import { commandLinesOf } from "./command-lines.ts";

const wordsIn = (text: string, language = "sh"): readonly (readonly string[])[] =>
  commandLinesOf({ page: "page.md", line: 1, language, note: "", text }).map(({ words }) => words);

test("a call is found with its words unquoted and without its comment", () => {
  expect(wordsIn(`npx q send hello '{"name":"Ada"}'   # once`)).toEqual([["send", "hello", '{"name":"Ada"}']]);
  expect(wordsIn("$ Q_NAME=w1 q worker -Q 'a b'")).toEqual([["worker", "-Q", "a b"]]);
});

test("calls in a row and inside another command are found, and other programs are not", () => {
  expect(wordsIn("npm start && q status | head -1")).toEqual([["status"]]);
  expect(wordsIn("id=$(q send billing.close -q)")).toEqual([["send", "billing.close", "-q"]]);
  expect(wordsIn("jq q\nnpm install q")).toEqual([]);
});

test("calls in units and manifests are found", () => {
  expect(wordsIn("[Service]\nExecStart=/srv/node_modules/.bin/q worker -c 4", "ini")).toEqual([["worker", "-c", "4"]]);
  expect(wordsIn('command: ["npx", "q", "worker"]', "yaml")).toEqual([["worker"]]);
  expect(wordsIn("q worker", "ts")).toEqual([]);
});
