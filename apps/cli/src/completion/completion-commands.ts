import { CommandLine } from "../command-line.ts";
import { commandTable } from "../command-table.ts";
import { firstWordOf, shells, type CompletionCommand } from "./completion-spec.ts";

/** Every command with its flags, read from the commands themselves. */
export async function completionCommands(): Promise<readonly CompletionCommand[]> {
  const lists = await Promise.all(
    commandTable.map(async ({ path, aliases = [], summary, load }) => {
      const { shape } = new CommandLine(await load());
      return [path, ...aliases].map((name) => ({ path: name, summary, flags: shape.flags, operand: operandOf(path) }));
    }),
  );
  return [
    ...lists.flat(),
    {
      path: "help",
      summary: "this and that about a command",
      flags: [],
      operand: [...new Set(commandTable.map(({ path }) => firstWordOf(path)))],
    },
    { path: "version", summary: "print the version", flags: [], operand: undefined },
  ];
}

function operandOf(path: string): CompletionCommand["operand"] {
  if (path === "send") return "tasks";
  if (path === "completion") return shells;
  if (/^dead (show|retry|drop)$/.test(path)) return "dead";
  if (/^schedule (next|explain|trigger|pause|resume)$/.test(path)) return "schedules";
  return /^queues (show|pause|resume|purge)$/.test(path) ? "queues" : undefined;
}
