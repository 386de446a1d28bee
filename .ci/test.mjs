// `npm test`: gets the programs that suites need, runs vitest, and ends with the plain line "N passed, N failed, N skipped".
// Arguments go to vitest: `npm test -- --project core:unit codec`.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { installWithApt, missingPrograms, programs } from "./programs.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const vitestArguments = process.argv.slice(2);

const notRun = vitestArguments.length === 0 ? prepare() : [];
if (notRun.length > 0 && process.env.CI === "true") {
  finish({ passed: 0, failed: notRun.length, skipped: 0 }, 1);
} else {
  const { totals, code } = await runVitest(vitestArguments);
  finish(totals, code);
}

/** Installs what is missing. Answers the suites that cannot run on this machine. */
function prepare() {
  const missing = missingPrograms(programs);
  if (missing.length === 0) return [];
  const names = missing.map((program) => program.name).join(", ");
  console.log(`missing: ${names}. Installing ${missing.map((program) => program.apt).join(" ")} with apt-get ...`);
  const refused = installWithApt(missing);
  if (refused === undefined) return [];
  const suites = missing.flatMap((program) => program.suites);
  console.log(`not installed (${refused}): ${names}. Suites that do not run: ${suites.join(", ")}`);
  return suites;
}

/** @param {readonly string[]} args */
function runVitest(args) {
  const vitest = [
    `${root}node_modules/vitest/vitest.mjs`,
    "run",
    "--reporter=default",
    "--reporter=./.ci/plain-reporter.mjs",
  ];
  const child = spawn(process.execPath, [...vitest, ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  // Stays at this when vitest dies before it has counted.
  let totals = { passed: 0, failed: 1, skipped: 0 };
  child.on("message", (message) => (totals = message));
  return new Promise((resolve) => child.on("close", (code) => resolve({ totals, code: code ?? 1 })));
}

/** @param {import("./plain-reporter.mjs").Totals} totals @param {number} code */
function finish({ passed, failed, skipped }, code) {
  // A run that ends badly without a failed test (a coverage threshold, a crash after the count) must not read as green.
  const counted = code !== 0 && failed === 0 ? 1 : failed;
  console.log(`${passed} passed, ${counted} failed, ${skipped} skipped`);
  process.exitCode = counted > 0 ? 1 : 0;
}
