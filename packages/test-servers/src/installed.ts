import { spawnSync } from "node:child_process";

/** Whether a program can be started here, for tests that are skipped where it cannot: `isInstalled("redis-server")`. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
}
