#!/usr/bin/env node
import { Console } from "node:console";
import { cutShort } from "./cut-short.ts";
import { report, run } from "./program.ts";

const argv = process.argv.slice(2);
const world = {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
};

// stdout is for the result. What the user's modules and handlers print with `console` must not get into it.
globalThis.console = new Console(process.stderr);

let isOver = false;
process.once("exit", (code) => {
  // 13 is Node's code for a top-level await that nothing settles any more.
  if (!isOver && (code === 0 || code === 13)) process.exitCode = report(cutShort(), argv, world);
});

// A reader that has seen enough (`q status | head -1`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    isOver = true;
    if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
    throw error;
  });
}

process.exitCode = await run(argv, world);
isOver = true;

// The user's modules may have opened things that keep a process alive, such as a database pool. The command is over all the same.
process.stdout.write("", () => process.stderr.write("", () => process.exit()));
