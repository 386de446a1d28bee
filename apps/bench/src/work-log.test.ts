import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nowUs } from "./payload.ts";
import { readWorkLog, WorkLog } from "./work-log.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "q-bench-"))));
afterEach(() => rmSync(folder, { recursive: true }));

test("what was written one at a time is there before the end", () => {
  const file = join(folder, "log");
  const startedAt = nowUs();
  const log = new WorkLog(file, 1);
  log.begun(1_000_000_007);
  log.ended(1_000_000_007);
  const [begun, ended, ...others] = readWorkLog(file);
  log.close();
  expect(begun).toMatchObject({ what: "begun", id: 1_000_000_007 });
  expect(ended).toMatchObject({ what: "ended", id: 1_000_000_007 });
  expect(others).toEqual([]);
  expect(begun?.atUs).toBeGreaterThanOrEqual(startedAt);
});

test("what was written many at a time is there at the end, and none twice", () => {
  const file = join(folder, "log");
  const log = new WorkLog(file, 2);
  for (const id of [1, 2, 3]) log.begun(id);
  expect(readWorkLog(file).map(({ id }) => id)).toEqual([1, 2]);
  log.close();
  expect(readWorkLog(file).map(({ id }) => id)).toEqual([1, 2, 3]);
});
