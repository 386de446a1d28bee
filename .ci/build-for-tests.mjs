// A vitest globalSetup of the `:process` projects: what their tests spawn runs from dist, so dist must be that of this source.
// turbo answers from its cache when nothing changed.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const turbo = fileURLToPath(new URL("turbo.mjs", import.meta.url));

/** @param {import("vitest/node").TestProject} project */
export function setup({ name }) {
  const folder = name.replace(":process", "");
  // vitest's NODE_ENV=test is not for the build.
  const env = { ...process.env, NODE_ENV: undefined };
  const args = ["--quiet", "run", "build", `--filter=./{packages,apps}/${folder}...`];
  const { status } = spawnSync(process.execPath, [turbo, ...args], { env, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`the build that the tests of ${name} need failed, see above`);
}
