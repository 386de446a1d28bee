// Installs what package.json and the lock file name. Needs only Node and npm: the pnpm that they pin comes through npx, and once it is
// installed it is called by itself, which saves a second and the network.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const installed = `${root}node_modules/pnpm`;
const pinned = manifest(root).devDependencies.pnpm;
const isInstalled = existsSync(`${installed}/package.json`) && manifest(installed).version === pinned;

const [command, ...prefix] = isInstalled ? [`${root}node_modules/.bin/pnpm`] : ["npx", "-y", `pnpm@${pinned}`];
const { status, error } = spawnSync(
  command,
  [...prefix, "install", "--frozen-lockfile", "--prefer-offline", "--reporter=append-only", "--loglevel=warn"],
  { cwd: root, stdio: "inherit" },
);
if (error !== undefined) process.stderr.write(`error: ${command} could not be started: ${error.message}\n`);
process.exitCode = status ?? 1;

/** @param {string} folder */
function manifest(folder) {
  return JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
}
