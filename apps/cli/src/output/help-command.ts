import type { CommandClass } from "clipanion";
import type { CliContext } from "../cli-context.ts";
import type { CommandEntry } from "../command-table.ts";
import type { CommandShape } from "../command-line.ts";
import type { Flag } from "../flag.ts";
import type { Colors } from "./colors.ts";
import { jsonVersion } from "./json-version.ts";

/** Flags that nearly every command has; listed last. */
const general = ["--json", "--quiet", "--verbose", "--no-color", "--config", "--env-file", "--broker", "--timeout"];

export interface CommandHelp {
  readonly entry: CommandEntry;
  readonly commandClass: CommandClass<CliContext> & { readonly operands?: string };
  readonly shape: CommandShape;
}

/** The help page of one command: examples first, then its own options, then those that all have. */
export function renderCommandHelp({ entry, commandClass, shape }: CommandHelp, colors: Colors): string {
  const { details, examples = [] } = commandClass.usage ?? {};
  const operands =
    commandClass.operands === undefined || commandClass.operands === "" ? "" : ` ${commandClass.operands}`;
  const own = shape.flags.filter((flag) => !general.includes(flag.long));
  const shared = shape.flags.filter((flag) => general.includes(flag.long));
  const lines = [`${colors.bold(`q ${entry.path}`)}${operands}  ${entry.summary}`];
  if (entry.aliases !== undefined)
    lines.push(colors.dim(`also: ${entry.aliases.map((alias) => `q ${alias}`).join(", ")}`));
  if (examples.length > 0) {
    const width = Math.max(...examples.map(([, command]) => command.length));
    lines.push("", ...examples.map(([about, command]) => `  ${command.padEnd(width)}  ${colors.dim(about)}`));
  }
  if (details !== undefined) lines.push("", details);
  if (own.length > 0) lines.push("", colors.bold("Options"), ...renderFlags(own));
  lines.push("", colors.bold("Everywhere"), ...renderFlags(shared), "");
  return lines.join("\n");
}

/** The same for programs. */
export function commandHelpJson({ entry, commandClass, shape }: CommandHelp): string {
  const { path: command, aliases = [], summary } = entry;
  const options = shape.flags.map(({ names, value, valueName, about }) => ({ names, value, valueName, about }));
  const operands = commandClass.operands ?? "";
  return `${JSON.stringify({ v: jsonVersion, command, aliases, summary, operands, options })}\n`;
}

function renderFlags(flags: readonly Flag[]): string[] {
  const calls = flags.map(callOf);
  const width = Math.min(36, Math.max(...calls.map((call) => call.length)));
  return flags.map((flag, index) => `  ${(calls[index] ?? "").padEnd(width)}  ${flag.about}`);
}

/** `-c, --concurrency <n>` */
function callOf(flag: Flag): string {
  const names = flag.names.join(", ");
  if (flag.value === "none") return names;
  return flag.value === "optional" ? `${names}[=${flag.valueName}]` : `${names} <${flag.valueName}>`;
}
