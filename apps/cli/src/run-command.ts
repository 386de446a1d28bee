import { didYouMean } from "@q/core";
import type { CliContext } from "./cli-context.ts";
import { UsageError } from "./cli-errors.ts";
import { CommandLine } from "./command-line.ts";
import type { CommandEntry } from "./command-table.ts";
import { leadingValueFlags, switches } from "./dispatch.ts";
import { exitCode } from "./exit-code.ts";
import { colors } from "./output/colors.ts";
import { commandHelpJson, renderCommandHelp } from "./output/help-command.ts";

/** Loads, parses and runs one command. */
export async function runCommand(entry: CommandEntry, args: readonly string[], context: CliContext): Promise<number> {
  const line = new CommandLine(await entry.load());
  const command = line.parse(args, context);
  command.prepare();
  return command.execute();
}

/** Prints the help page of one command. */
export async function helpCommand(
  entry: CommandEntry,
  context: CliContext,
  { json }: { readonly json: boolean },
): Promise<number> {
  const commandClass = await entry.load();
  const { shape } = new CommandLine(commandClass);
  const help = { entry, commandClass, shape };
  context.stdout.write(json ? commandHelpJson(help) : renderCommandHelp(help, colors(context.terminal.stdoutColor)));
  return exitCode.done;
}

/** @throws UsageError `Q2101` always */
export function refuseUnknownCommand(words: string, known: readonly string[]): never {
  throw new UsageError("Q2101", `unknown command "${words}"`, {
    hint: didYouMean(words, known) ?? "q help lists the commands",
  });
}

/** @throws UsageError `Q2101` for an option that waits for a command, `Q2102` for one that q has not */
export function refuseWithoutCommand(flag: string): never {
  if (leadingValueFlags.includes(flag))
    throw new UsageError("Q2101", `expected a command after ${flag}`, { hint: "q help lists the commands" });
  throw new UsageError("Q2102", `unknown option ${flag}`, {
    hint: didYouMean(flag, switches) ?? `an option of a command stands behind it: q <command> ${flag}`,
  });
}
