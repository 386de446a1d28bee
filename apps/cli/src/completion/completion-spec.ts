import { CommandLine } from "../command-line.ts";
import { commandTable } from "../command-table.ts";
import type { Flag } from "../flag.ts";

/** Names that only a project or its broker knows; `q __complete <kind>` prints them. */
export type DynamicKind = "queues" | "tasks" | "dead";

export interface CompletionCommand {
  /** One or two words. Aliases have an entry of their own. */
  readonly path: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** What its operands are; `undefined`: nothing that can be completed. */
  readonly operand: DynamicKind | readonly string[] | undefined;
}

export const shells = ["bash", "zsh", "fish"] as const;

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
      operand: commandTable.map(({ path }) => path.split(" ")[0] ?? path),
    },
    { path: "version", summary: "print the version", flags: [], operand: undefined },
  ];
}

/** What completes the value of a flag. */
export function valueOf(flag: Flag): DynamicKind | "files" | readonly string[] | undefined {
  if (["--queues", "--exclude-queues", "--queue"].includes(flag.long)) return "queues";
  if (flag.long === "--task") return "tasks";
  if (flag.valueName === "path") return "files";
  if (flag.long === "--loglevel" || flag.long === "--log-level") return ["debug", "info", "warn", "error"];
  return flag.long === "--log-format" ? ["auto", "pretty", "json"] : undefined;
}

function operandOf(path: string): CompletionCommand["operand"] {
  if (path === "send") return "tasks";
  if (path === "completion") return shells;
  if (/^dead (show|retry|drop)$/.test(path)) return "dead";
  return /^queues (show|pause|resume|purge)$/.test(path) ? "queues" : undefined;
}
