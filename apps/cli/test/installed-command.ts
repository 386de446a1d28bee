import { chmod } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Project } from "./project.ts";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** Puts the commands q and qtask into the project's folder. Answers the environment of a shell that finds them there. */
export async function installCommand(project: Project): Promise<Record<string, string>> {
  for (const name of ["q", "qtask"]) {
    await project.write(name, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
    await chmod(`${project.folder}/${name}`, 0o755);
  }
  const { PATH = "" } = process.env;
  return { PATH: `${project.folder}:${PATH}`, HOME: project.folder, TMPDIR: project.folder, LANG: "C.UTF-8" };
}
