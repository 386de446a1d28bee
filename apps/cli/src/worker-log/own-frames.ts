import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { ErrorRecord } from "@q/core";

const mostFrames = 4;
const coreFolder = dirname(createRequire(import.meta.url).resolve("@q/core"));

/** The frames of a stack that lie in the user's own code: not in a package, not in Node, not in q. */
export function ownFrames(error: ErrorRecord): string[] {
  return (error.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line) && !/node_modules|node:/.test(line) && !line.includes(coreFolder))
    .slice(0, mostFrames)
    .map((line) => line.trim());
}
