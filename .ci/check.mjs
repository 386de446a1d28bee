// Everything that must hold before a change is handed in, cheap steps first. The first step that fails stops the run.
// `npm run check` for a developer; .ci/run calls the same.
import { spawnSync } from "node:child_process";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));

const steps = [
  { name: "setup", run: "npm run -s setup" },
  { name: "format", run: "npm run -s format:check" },
  { name: "lint", run: "npm run -s lint" },
  { name: "structure", run: "npm run -s structure" },
  { name: "unused code", run: "npm run -s knip" },
  { name: "types", run: "npm run -s typecheck" },
  { name: "build", run: "npm run -s build" },
  { name: "packages", run: "npm run -s packages:check" },
  { name: "main job", run: "npm start" },
  // Last and shown as it runs: its closing line is the closing line of the whole.
  { name: "tests", run: "npm test", shown: true },
];

const env = {
  ...process.env,
  PATH: `${root}node_modules/.bin${delimiter}${process.env.PATH}`,
  NO_COLOR: "1",
  FORCE_COLOR: undefined,
};

for (const { name, run, shown = false } of steps) {
  if (shown) console.log(`run  ${name}`);
  const startedAt = performance.now();
  const output = shown ? "inherit" : "pipe";
  const { status, stdout, stderr } = spawnSync(run, {
    cwd: root,
    env,
    shell: true,
    stdio: ["ignore", output, output],
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (status !== 0) {
    process.exitCode = 1;
    if (shown) break;
    // Some tools colour whenever CI is set, NO_COLOR or not.
    console.error(stripVTControlCharacters(`${stdout}${stderr}`));
    console.error(`FAIL ${name} (${run}), ${seconds} s`);
    break;
  }
  if (!shown) console.log(`ok   ${name}, ${seconds} s`);
}
