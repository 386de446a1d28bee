import { commandTable, type CommandEntry, type CommandGroup } from "../command-table.ts";
import type { Colors } from "./colors.ts";
import { jsonVersion } from "./json-version.ts";

const groups: readonly CommandGroup[] = ["Run", "Look", "Repair", "Project"];

const examples: readonly (readonly [command: string, about: string])[] = [
  ["q init", "start a project"],
  ["q worker", "run tasks, all queues"],
  ["q worker -Q email,images:3 -c 20", "two queues, images in three of four turns, 20 at once"],
  ["q cron", "send tasks at their time; run as many as you like"],
  [`q send hello '{"name":"Ada"}'`, "send a task"],
  ["q status --watch", "see how it goes"],
];

/** The page of `q help`. Needs nothing but the command table, so that it appears at once. */
export function renderOverview(colors: Colors): string {
  const width = Math.max(...examples.map(([command]) => command.length));
  const sections = groups.map((group) =>
    [colors.bold(group), ...renderEntries(commandTable.filter((entry) => entry.group === group))].join("\n"),
  );
  return [
    "q runs tasks in the background: declare a task, send it, and a worker runs it.",
    "",
    ...examples.map(([command, about]) => `  ${command.padEnd(width)}  ${colors.dim(about)}`),
    "",
    sections.join("\n\n"),
    "",
    "q help <command> shows its options. q version prints the version.",
    "",
  ].join("\n");
}

/** The page of one group, such as `q help queues`. */
export function renderGroup(group: string, colors: Colors): string {
  const members = membersOf(group);
  return [
    colors.bold(`q ${group}`),
    ...renderEntries(members),
    "",
    `q help ${members[0]?.path ?? group} shows the options of one.`,
    "",
  ].join("\n");
}

/** The same for programs: the commands, all or those of one group. */
export function overviewJson(group: string | undefined): string {
  const entries = group === undefined ? commandTable : membersOf(group);
  const commands = entries.map(({ path, aliases = [], summary }) => ({ command: path, aliases, summary }));
  return `${JSON.stringify({ v: jsonVersion, commands })}\n`;
}

function membersOf(group: string): readonly CommandEntry[] {
  return commandTable.filter(
    (entry) => entry.path.startsWith(`${group} `) || entry.aliases?.some((alias) => alias.startsWith(`${group} `)),
  );
}

function renderEntries(entries: readonly CommandEntry[]): string[] {
  const width = Math.max(...commandTable.map((entry) => entry.path.length));
  return entries.map(({ path, aliases, summary }) => {
    const also = aliases === undefined ? "" : ` (also: ${aliases.join(", ")})`;
    return `  ${path.padEnd(width)}  ${summary}${also}`;
  });
}
