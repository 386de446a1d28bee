import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { installCommand } from "./installed-command.ts";
import { Project, usualProject } from "./project.ts";

/** What bash offers for a line, the last word being the one that is typed. */
async function offers(project: Project, line: string): Promise<string[]> {
  const { stdout: script } = await project.q(["completion", "bash"]);
  const words = line.split(" ");
  const shell = `${script}
    COMP_WORDS=(q ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; COMPREPLY=(); _q; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = await installCommand(project);
  return execFileSync("bash", ["--norc", "-c", shell], { cwd: project.folder, env, encoding: "utf8" })
    .split("\n")
    .filter(Boolean);
}

describe("bash", () => {
  test.each([
    ["wor", ["worker"]],
    ["dead re", ["retry"]],
    ["worker --conc", ["--concurrency"]],
    ["queues pause --time", ["--timeout"]],
    ["worker -l d", ["debug"]],
    ["completion z", ["zsh"]],
    ["queues p", ["pause", "purge"]],
    ["queues -l de", ["debug"]],
    ["queues -Q any --time", ["--timeout"]],
  ])("completes %j", async (line, expected) => {
    expect(await offers(await Project.create(), line)).toEqual(expected);
  });

  test("completes queues and tasks of the project", async () => {
    const project = await usualProject();
    await expect.poll(() => offers(project, "worker -Q em"), { timeout: 20_000, interval: 500 }).toEqual(["email"]);
    await expect.poll(() => offers(project, "send hel"), { timeout: 20_000, interval: 500 }).toEqual(["hello"]);
  });

  test("does not run what an id of a message says", async () => {
    const project = await usualProject();
    for (const id of ["$(touch${IFS}ran)", "dead-number-1"]) await project.q(["send", "fail", "{}", "--id", id]);
    await project.q(["worker", "--burst", "--idle", "50ms"]);
    await expect
      .poll(() => offers(project, "dead show "), { timeout: 20_000, interval: 500 })
      .toEqual(["dead-number-1"]);
    expect(existsSync(join(project.folder, "ran"))).toBe(false);
  });
});

test("names for completion never complain, also where there is no project", async () => {
  const project = await Project.create();
  expect(await project.q(["__complete", "queues"])).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("an empty Q_CONFIG is none: names are found from a folder of the project", async () => {
  const project = await usualProject();
  const ask = async () => (await project.q(["__complete", "queues"], { env: { Q_CONFIG: "" }, folder: "src" })).stdout;
  await expect.poll(ask, { timeout: 20_000, interval: 500 }).toBe("default\nemail\n");
});

// No test here runs PowerShell: the distribution has none. zsh and fish run in completion-shells.test.ts.
test.each(["zsh", "fish", "pwsh"])("the script for %s names every command", async (shell) => {
  const project = await Project.create();
  const { code, stdout } = await project.q(["completion", shell]);
  expect(code).toBe(0);
  for (const word of ["worker", "queues", "dead", "completion"]) expect(stdout).toContain(word);
});
