import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { ConfigError } from "@q/core";

/**
 * Writes this process's id to a file; answers how to take it away again. A file that a dead process left is replaced.
 * @throws ConfigError `Q2112` when another live process has it, or it cannot be written
 */
export function writePidFile(path: string): () => void {
  const holder = readPid(path);
  if (holder !== undefined && holder !== process.pid && isAlive(holder)) {
    throw new ConfigError("Q2112", `--pid-file ${path} belongs to process ${holder}, which is running`, {
      hint: "stop that one first, or give this one another file",
    });
  }
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (cause) {
    throw new ConfigError("Q2112", `--pid-file ${path} cannot be written`, { cause, hint: "does its folder exist?" });
  }
  const remove = (): void => {
    if (readPid(path) === process.pid) rmSync(path, { force: true });
  };
  // Also when the process leaves at once: its number may belong to another by the time the next one looks.
  process.once("exit", remove);
  return () => {
    process.off("exit", remove);
    remove();
  };
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, "utf8"), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    // No file, or one that is not ours to read: writing it will tell.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
