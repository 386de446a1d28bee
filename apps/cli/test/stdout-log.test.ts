import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { config, program, Project } from "./project.ts";

const burst = ["worker", "--burst", "--idle", "50ms"];
const mebibyte = 1024 * 1024;

/** Logs so many lines of so many characters. */
function talk(lines: number, length: number): string {
  return `
import { appendFileSync } from "node:fs";
import { app } from "../../q.config.js";

export const talk = app.instrumentedTask({ name: "talk" }, (_args, ctx) => {
  appendFileSync("begun", "");
  for (let n = 0; n < ${lines}; n += 1) ctx.logger.info({ n, text: "x".repeat(${length}) }, "much");
  globalThis.gc?.();
  appendFileSync("heap", process.memoryUsage().heapUsed + "\\n");
});
`;
}

test("a worker whose log is on a full disk does its tasks, and does not keep what it cannot write", async ({
  skip,
}) => {
  skip(!existsSync("/dev/full"), "no /dev/full here: it stands for a full disk");
  const project = await Project.create({ "q.config.ts": config, "src/tasks/talk.ts": talk(100, mebibyte) });
  for (let sent = 0; sent < 2; sent += 1) await project.q(["send", "talk"]);
  const full = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(full));
  // How it ends says nothing here: /dev/full also refuses the nothing that a command writes at its end.
  spawnSync(process.execPath, ["--expose-gc", program, ...burst], {
    cwd: project.folder,
    stdio: ["ignore", full, "ignore"],
  });
  const heaps = (await project.read("heap")).trim().split("\n").map(Number);
  expect(heaps).toHaveLength(2);
  expect(Math.max(...heaps)).toBeLessThan(64 * mebibyte);
  expect(await project.json(["queues", "-Q", "default"])).toMatchObject({ queues: [{ ready: 0, inFlight: 0 }] });
});

test("a reader that is slower than the worker gets every line, whole", async () => {
  const project = await Project.create({ "q.config.ts": config, "src/tasks/talk.ts": talk(2000, 1000) });
  await project.q(["send", "talk"]);
  const worker = project.start(burst);
  worker.child.stdout?.pause();
  await expect.poll(() => existsSync(join(project.folder, "begun")), { timeout: 20_000 }).toBe(true);
  worker.child.stdout?.resume();
  expect((await worker.finished).code).toBe(0);
  const told = worker.lines.filter(({ msg }) => msg === "much").map(({ n }) => n);
  expect(told).toEqual(Array.from({ length: 2000 }, (_, n) => n));
});
