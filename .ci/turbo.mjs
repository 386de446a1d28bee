// Runs turbo: without telemetry, and with pnpm, which it calls, on the PATH. `--quiet` shows its output only when it fails.
import { spawnSync } from "node:child_process";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const quiet = process.argv.includes("--quiet");
const args = process.argv.slice(2).filter((argument) => argument !== "--quiet");

const { status, stdout, stderr } = spawnSync(
  process.execPath,
  [`${root}node_modules/turbo/bin/turbo`, ...args, "--ui=stream"],
  {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${root}node_modules/.bin${delimiter}${process.env.PATH}`,
      TURBO_TELEMETRY_DISABLED: "1",
    },
    stdio: ["ignore", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
    maxBuffer: 64 * 1024 * 1024,
  },
);
if (quiet && status !== 0) process.stderr.write(Buffer.concat([stdout, stderr]));
process.exitCode = status ?? 1;
