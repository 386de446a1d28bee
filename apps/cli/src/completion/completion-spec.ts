import type { Flag } from "../flag.ts";

/** Names that only a project or its broker knows; `q __complete <kind>` prints them. */
export type DynamicKind = "queues" | "tasks" | "dead" | "schedules";

export interface CompletionCommand {
  /** One or two words. Aliases have an entry of their own. */
  readonly path: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** What its operands are; `undefined`: nothing that can be completed. */
  readonly operand: DynamicKind | readonly string[] | undefined;
}

export const shells = ["bash", "zsh", "fish", "pwsh"] as const;

/** A word of a command line, and what it stands for. */
export interface Word {
  readonly word: string;
  readonly summary: string;
}

/** What a command line can begin with. A group says what its name alone does, or its first command. */
export function firstWords(commands: readonly CompletionCommand[]): readonly Word[] {
  return [...new Set(commands.map(({ path }) => firstWordOf(path)))].map((word) => {
    const named = commands.find(({ path }) => path === word) ?? commands.find(({ path }) => firstWordOf(path) === word);
    return { word, summary: named?.summary ?? "" };
  });
}

/** The groups, such as `queues`, with their second words. */
export function groups(commands: readonly CompletionCommand[]): ReadonlyMap<string, readonly Word[]> {
  const verbs = new Map<string, Word[]>();
  for (const { path, summary } of commands) {
    const group = firstWordOf(path);
    if (path === group) continue;
    verbs.set(group, [...(verbs.get(group) ?? []), { word: path.slice(group.length + 1), summary }]);
  }
  return verbs;
}

/** The group of a command that has one, or its only word. */
export const firstWordOf = (path: string): string => path.split(" ")[0] ?? path;

/** What completes the value of a flag. */
export function valueOf(flag: Flag): DynamicKind | "files" | readonly string[] | undefined {
  if (["--queues", "--exclude-queues", "--queue"].includes(flag.long)) return "queues";
  if (flag.long === "--task") return "tasks";
  if (flag.valueName === "path") return "files";
  if (flag.long === "--loglevel" || flag.long === "--log-level") return ["debug", "info", "warn", "error"];
  return flag.long === "--log-format" ? ["auto", "pretty", "json"] : undefined;
}
