import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "@q/core";

/**
 * Adds the variables of a file to the environment. What is set already stays as it is. Node has looked for the flag before: it looks at all arguments up
 * to a `--`, and ends with 9 when the file is not there. Its variables it takes from flags of its own only.
 * @param asked relative to `cwd`
 * @throws ConfigError `Q2110`
 */
export function readEnvFile(asked: string, cwd: string): void {
  const path = resolve(cwd, asked);
  if (!existsSync(path)) {
    throw new ConfigError("Q2110", `--env-file ${asked} is not there`, {
      hint: "leave it out where something else sets the variables",
      details: { "looked for": path },
    });
  }
  try {
    process.loadEnvFile(path);
  } catch (cause) {
    throw new ConfigError("Q2110", `--env-file ${asked} could not be read`, {
      cause,
      hint: "a file that this user may read, with one NAME=value a line; see -v for the reason",
    });
  }
}
