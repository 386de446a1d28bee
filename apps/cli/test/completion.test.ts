import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Project, usualProject } from "./project.ts";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** What bash offers for a line, the last word being the one that is typed. */
async function offers(project: Project, line: string): Promise<string[]> {
  const { stdout: script } = await project.q(["completion", "bash"]);
  const words = line.split(" ");
  const shell = `${script}
    COMP_WORDS=("$Q" ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; COMPREPLY=(); _q; printf '%s\\n' "\${COMPREPLY[@]}"`;
  await project.write("q", `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
  execFileSync("chmod", ["+x", `${project.folder}/q`]);
  const { PATH = "" } = process.env;
  const env = { PATH, Q: `${project.folder}/q`, TMPDIR: project.folder };
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
  ])("completes %j", async (line, expected) => {
    expect(await offers(await Project.create(), line)).toEqual(expected);
  });

  test("completes queues and tasks of the project", async () => {
    const project = await usualProject();
    await expect.poll(() => offers(project, "worker -Q em"), { timeout: 20_000, interval: 500 }).toEqual(["email"]);
    await expect.poll(() => offers(project, "send hel"), { timeout: 20_000, interval: 500 }).toEqual(["hello"]);
  });
});

test("names for completion never complain, also where there is no project", async () => {
  const project = await Project.create();
  expect(await project.q(["__complete", "queues"])).toEqual({ code: 0, stdout: "", stderr: "" });
});

test.each(["zsh", "fish"])("the script for %s names every command", async (shell) => {
  const project = await Project.create();
  const { code, stdout } = await project.q(["completion", shell]);
  expect(code).toBe(0);
  for (const word of ["worker", "queues", "dead", "completion"]) expect(stdout).toContain(word);
});
