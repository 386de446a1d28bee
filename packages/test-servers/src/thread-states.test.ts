import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { isStopped } from "./thread-states.ts";

test("a process is stopped when all of its threads are", async ({ skip }) => {
  skip(process.platform !== "linux", "only Linux tells the states of threads");
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  expect(isStopped(pid)).toBe(false);
  child.kill("SIGSTOP");
  await expect.poll(() => isStopped(pid)).toBe(true);
  child.kill("SIGCONT");
  await expect.poll(() => isStopped(pid)).toBe(false);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isStopped(pid)).toBe(true);
});
