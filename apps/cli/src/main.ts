#!/usr/bin/env node
import { run } from "./program.ts";

// A reader that has seen enough (`q status | head -1`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
    throw error;
  });
}

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
});

// The user's modules may have opened things that keep a process alive, such as a database pool. The command is over all the same.
process.stdout.write("", () => process.stderr.write("", () => process.exit()));
