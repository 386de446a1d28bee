import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ChildLink } from "./child-link.ts";
import type { FromChild } from "./child-side.ts";
import type { PythonProgram } from "./peer.ts";

// The system's own: another one on the PATH does not see the packages of apt.
const python = "/usr/bin/python3";
const folder = fileURLToPath(new URL("../python/", import.meta.url));

/** Starts a script of this bench in Python; its other end is `parent.py`. */
export function linkToPython(script: string, { options }: PythonProgram): ChildLink {
  // Without a folder of compiled files in the sources, and as the leader of a group, to which the processes of a pool belong as well.
  const child = spawn(python, ["-B", `${folder}${script}`, JSON.stringify(options)], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const { stdin, stdout, pid } = child;
  const lines = createInterface(stdout);
  // The end of the process says more.
  stdin.on("error", () => undefined);
  return {
    process: child,
    isOpen: () => stdin.writable,
    send: (message) => void stdin.write(`${JSON.stringify(message)}\n`),
    reply: async (signal) => {
      const [line] = (await once(lines, "line", { signal })) as unknown[];
      return JSON.parse(String(line)) as FromChild; // written by `parent.py`
    },
    hangUp: () => void stdin.end(),
    kill: () => {
      if (pid !== undefined) process.kill(-pid, "SIGKILL");
    },
  };
}

const versionsScript = `
import importlib.metadata, json, platform, sys
versions = {name: importlib.metadata.version(name) for name in sys.argv[1:]}
print(json.dumps({**versions, "Python": platform.python_version()}))`;

/** Of distributions, and of Python itself; `undefined` where one of them is not installed. */
export function pythonVersions(names: readonly string[]): Readonly<Record<string, string>> | undefined {
  const { status, stdout } = spawnSync(python, ["-c", versionsScript, ...names], { encoding: "utf8" });
  return status === 0 ? (JSON.parse(stdout) as Record<string, string>) : undefined; // printed by the script
}
