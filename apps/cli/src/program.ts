import type { CliContext } from "./cli-context.ts";
import { dispatch, type Request } from "./dispatch.ts";
import { exitCode, exitCodeOf } from "./exit-code.ts";
import { colors } from "./output/colors.ts";
import { renderError, renderErrorJson } from "./output/error.ts";
import { overviewJson, renderGroup, renderOverview } from "./output/help-overview.ts";
import { jsonVersion } from "./output/json-version.ts";
import { terminalOf } from "./output/terminal.ts";
import { version } from "./version.ts";

/** The process as the program sees it. */
export type World = Pick<CliContext, "env" | "stdin" | "stdout" | "stderr" | "cwd" | "end">;

/**
 * Runs one command line and answers with the exit code. Never rejects: whatever goes wrong is told on stderr, once.
 * Help and version need nothing but this file; a command is loaded when it is called.
 */
export async function run(argv: readonly string[], world: World): Promise<number> {
  const context = contextOf(argv, world);
  try {
    return await answer(dispatch(argv), context, has(argv, "--json"));
  } catch (error) {
    return report(error, argv, world);
  }
}

/** Tells an error on stderr, for people or with `--json` for programs. Answers with the exit code. */
export function report(error: unknown, argv: readonly string[], world: World): number {
  const { stderr, terminal } = contextOf(argv, world);
  stderr.write(
    has(argv, "--json")
      ? renderErrorJson(error)
      : renderError(error, { colors: colors(terminal.stderrColor), verbose: has(argv, "-v", "--verbose") }),
  );
  return exitCodeOf(error);
}

async function answer(request: Request, context: CliContext, json: boolean): Promise<number> {
  switch (request.kind) {
    case "version":
      context.stdout.write(
        json ? `${JSON.stringify({ v: jsonVersion, version, node: process.versions.node })}\n` : `q ${version}\n`,
      );
      return exitCode.done;
    case "help": {
      const palette = colors(context.terminal.stdoutColor);
      if (request.entry !== undefined)
        return (await import("./run-command.ts")).helpCommand(request.entry, context, { json });
      if (json) context.stdout.write(overviewJson(request.group));
      else if (request.group === undefined) context.stdout.write(renderOverview(palette));
      else context.stdout.write(renderGroup(request.group, palette));
      return exitCode.done;
    }
    case "no-command":
      return (await import("./run-command.ts")).refuseWithoutCommand(request.flag);
    case "unknown":
      return (await import("./run-command.ts")).refuseUnknownCommand(request.words, request.known);
    case "command":
      return (await import("./run-command.ts")).runCommand(request.entry, request.args, context);
  }
}

function contextOf(argv: readonly string[], world: World): CliContext {
  const terminal = terminalOf({ ...world, noColor: has(argv, "--no-color"), noInput: has(argv, "--no-input") });
  return { ...world, terminal, colorDepth: terminal.stdoutColor ? 8 : 1 };
}

/** Whether one of these flags was given; read before parsing, because parsing may be what fails. */
function has(argv: readonly string[], ...flags: string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).some((arg) => flags.includes(arg));
}
