import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { LogFile } from "./log-file.ts";

interface Opened {
  readonly file: LogFile;
  readonly path: string;
  readonly folder: string;
  readonly troubles: readonly string[];
  readonly pass: (ms: number) => void;
}

function open(): Opened {
  const folder = mkdtempSync(join(tmpdir(), "q-log-"));
  const path = join(folder, "logs", "q.log");
  mkdirSync(join(folder, "logs"));
  writeFileSync(path, "before\n");
  let now = 0;
  const troubles: string[] = [];
  const file = new LogFile(path, { onTrouble: (text) => troubles.push(text), now: () => now });
  onTestFinished(() => {
    file.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { file, path, folder, troubles, pass: (ms) => (now += ms) };
}

test("lines are added behind those that are there", () => {
  const { file, path } = open();
  file.write("a\n");
  expect(readFileSync(path, "utf8")).toBe("before\na\n");
});

test("a file that was moved away gets no more lines after a second, its successor does", () => {
  const { file, path, pass } = open();
  renameSync(path, `${path}.1`);
  file.write("old\n");
  pass(1000);
  file.write("new\n");
  expect(readFileSync(`${path}.1`, "utf8")).toBe("before\nold\n");
  expect(readFileSync(path, "utf8")).toBe("new\n");
});

test("a file that was copied and emptied is written from its beginning", () => {
  const { file, path } = open();
  file.write("a\n");
  writeFileSync(path, "");
  file.write("b\n");
  expect(readFileSync(path, "utf8")).toBe("b\n");
});

test("a folder that goes away is told once, and once when it is back; nothing is thrown", () => {
  const { file, path, folder, troubles, pass } = open();
  renameSync(join(folder, "logs"), join(folder, "gone"));
  pass(1000);
  file.write("a\n");
  file.write("b\n");
  expect(troubles).toEqual([`--log-file ${path} cannot be written (ENOENT): log lines are lost`]);
  mkdirSync(join(folder, "logs"));
  file.write("c\n");
  expect(readFileSync(path, "utf8")).toBe("c\n");
  expect(troubles).toHaveLength(2);
});

test("a file that cannot be opened is an error with a code", () => {
  const { folder } = open();
  const options = { onTrouble: () => {} };
  expect(() => new LogFile(join(folder, "none", "q.log"), options)).toThrow(expect.objectContaining({ code: "Q2117" }));
});

test("what is written after closing is dropped", () => {
  const { file, path } = open();
  file.close();
  file.close();
  file.write("late\n");
  expect(readFileSync(path, "utf8")).toBe("before\n");
});
