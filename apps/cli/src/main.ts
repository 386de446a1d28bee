#!/usr/bin/env node
import { Console } from "node:console";
import { lostResult } from "./lost-result.ts";
import { ProcessEnd } from "./process-end.ts";
import { report, run } from "./program.ts";
import { uncaught } from "./uncaught.ts";

const argv = process.argv.slice(2);
const world = {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  end: new ProcessEnd(),
};
const { end, cwd } = world;

// stdout is for the result. What the user's modules and handlers print with `console` must not get into it.
globalThis.console = new Console(process.stderr);

process.once("exit", (code) => {
  const error = end.errorAt(code, cwd);
  if (error === undefined) return;
  const ours = report(error, argv, world);
  // Another code was chosen by whoever called process.exit.
  if (code === 0 || code === 13) process.exitCode = ours;
});

process.on("uncaughtException", (error) => {
  // A worker and q cron have their own ways to end.
  if (process.listenerCount("uncaughtException") > 1) return;
  end.mean();
  process.exit(report(uncaught(error, cwd), argv, world));
});

// A reader that has seen enough (`q status | head -1`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // The pipe of its log is closed, its terminal gone, the disk full: a worker goes on with its tasks. There is nowhere left to say so.
    if (end.isAtWork) return;
    end.mean();
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
}

process.exitCode = await run(argv, world);
end.mean();

// The user's modules may have opened things that keep a process alive, such as a database pool. The command is over all the same.
process.stdout.write("", () => {
  // On a file this comes before the stream tells of its error, and the error is told to nobody any more.
  const lost = lostResult(process.stdout.errored);
  if (lost !== undefined) process.exitCode = report(lost, argv, world);
  process.stderr.write("", () => process.exit());
});
