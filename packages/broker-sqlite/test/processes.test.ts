import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FixtureProcess, logLines, loggedIds } from "./child-process.ts";
import { eventually, openBroker, openRaw, temporaryFolder } from "./temporary.ts";

test("eight processes on one file handle each message exactly once, and leave nothing behind", async () => {
  const folder = temporaryFolder();
  const [path, log] = [join(folder, "q.db"), join(folder, "log")];
  const each = 500;
  const workers = Array.from({ length: 8 }, () => new FixtureProcess("worker", [path, log, each]));
  await eventually(() => logLines(log).length >= 8 * each, 60_000);
  expect(await Promise.all(workers.map((worker) => worker.stop()))).toEqual(Array(8).fill(0));

  const handled = loggedIds(log, "settled");
  expect(handled).toHaveLength(8 * each);
  expect(new Set(handled).size).toBe(8 * each);
  expect(loggedIds(log, "lost")).toEqual([]);
  expect(workers.map(({ output }) => output).join("")).toBe("");

  const raw = await openRaw(path);
  expect(raw.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  for (const table of ["message", "session", "consumer", "dead"]) {
    expect(raw.prepare(`SELECT count(*) AS count FROM ${table}`).get()).toEqual({ count: 0 });
  }
  const broker = await openBroker(path);
  expect(await broker.inspector.stats("default")).toMatchObject({ ready: 0, delayed: 0, inFlight: 0, dead: 0 });
}, 90_000);

test("a file that may not be written is an error that says so, and is left as it is", async () => {
  const folder = temporaryFolder();
  const [path, log] = [join(folder, "q.db"), join(folder, "log")];
  const broker = await openBroker(path);
  await broker.close();
  chmodSync(path, 0o444);
  // Root may write whatever the mode says, so the process is somebody else's.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  chmodSync(folder, 0o755);
  const opener = new FixtureProcess("opener", [path, log], nobody);
  await opener.exit();
  expect(opener.output).toMatch(/^Q1001 sqlite:.*q\.db /);
});
