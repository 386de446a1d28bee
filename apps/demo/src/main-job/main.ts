import { allFailures } from "../failing-code/all-failures.ts";
import { ChildFailed } from "./stage.ts";
import { FolderTaken } from "./folder-lock.ts";
import { readOptions, usage, UsageError } from "./options.ts";
import type { MainJobOptions } from "./options.ts";
import { MainJob } from "./run.ts";
import type { MainJobResult } from "./run.ts";
import { Screen } from "./screen.ts";

/** Why the job was stopped from outside; the number is the exit code that shells expect. */
class Stopped extends Error {
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals, exitCode: number) {
    super(`stopped by ${signal}`);
    this.exitCode = exitCode;
  }
}

const nextSteps: readonly (readonly [string, string])[] = [
  ["cd apps/demo", `the demo's q.config.ts is there`],
  ["npx q status", "the queues, as the run left them"],
  ["npx q dead list", "the tasks that failed on the bug; the README shows how to repair it"],
  ["npm start -- --events 20000", "more of the same, from the top folder"],
  ["npm start -- --keep", "service and workers go on, to play with"],
];

const screen = new Screen(process.stdout);
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = readOptions(argv);
    if (options === "help") {
      screen.line(usage);
      return 0;
    }
    return await perform(options);
  } catch (error) {
    screen.endProgress();
    if (error instanceof Stopped) {
      screen.line(`  ${error.message}; every process has ended`);
      return error.exitCode;
    }
    const isPlain = error instanceof UsageError || error instanceof FolderTaken || error instanceof ChildFailed;
    process.stderr.write(
      `error: ${error instanceof Error ? (isPlain ? error.message : error.stack) : String(error)}\n`,
    );
    return error instanceof UsageError ? 2 : 1;
  }
}

async function perform(options: MainJobOptions): Promise<number> {
  const startedAt = performance.now();
  screen.line(`  q: the main job, with real errors of ${allFailures.length} kinds`);
  const { findings, badEnds } = await new MainJob(options, screen, stopSignal()).run();
  return verdict({ findings, badEnds }, (performance.now() - startedAt) / 1000);
}

function verdict({ findings, badEnds }: MainJobResult, seconds: number): number {
  const problems = [
    ...findings
      .filter(({ ok }) => !ok)
      .map(({ what, expected, found }) => `${what}: expected ${expected}, found ${found}`),
    ...badEnds,
  ];
  screen.line("");
  if (problems.length > 0) {
    process.stderr.write(`error: these numbers do not add up\n${problems.map((problem) => `  ${problem}\n`).join("")}`);
    return 1;
  }
  screen.line(`  Everything adds up, after ${seconds.toFixed(1)} s. What to try next:`);
  for (const [command, meaning] of nextSteps) screen.line(`    ${command.padEnd(34)}${meaning}`);
  return 0;
}

/** Aborts on Ctrl-C, on SIGTERM, and when whoever started us, or reads our lines, has gone. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(signal, () => stop.abort(new Stopped(signal, exitCode)));
  }
  process.stdout.on("error", () => stop.abort(new Stopped("SIGPIPE", 141)));
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop.abort(new Stopped("SIGHUP", 129));
  }, 500).unref();
  return stop.signal;
}
