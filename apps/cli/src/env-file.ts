import { ConfigError } from "@q/core";

/**
 * Adds the variables of a file to the environment. What is set already stays as it is.
 * @throws ConfigError `Q2110`
 */
export function readEnvFile(path: string): void {
  try {
    process.loadEnvFile(path);
  } catch (cause) {
    throw new ConfigError("Q2110", `--env-file ${path} could not be read`, {
      cause,
      hint: "one NAME=value a line; see -v for the reason",
    });
  }
}
