import type { CommandClass } from "clipanion";
import type { CliContext } from "./cli-context.ts";

/** A command as help, completion and dispatch know it, before its code is loaded. */
export interface CommandEntry {
  /** The words that call it: `queues pause`. */
  readonly path: string;
  /** Other words for it. The name of a group alone stands here with the group's list. */
  readonly aliases?: readonly string[];
  readonly group: CommandGroup;
  readonly summary: string;
  readonly load: () => Promise<CommandClass<CliContext>>;
}

export type CommandGroup = "Run" | "Look" | "Repair" | "Project";

/** Every command, in the order of the help page. Loading one loads no other, so that each starts fast. */
export const commandTable: readonly CommandEntry[] = [
  {
    path: "worker",
    aliases: ["run worker"],
    group: "Run",
    summary: "run tasks",
    load: async () => (await import("./commands/worker.ts")).WorkerCommand,
  },
  {
    path: "cron",
    aliases: ["run cron", "beat"],
    group: "Run",
    summary: "send tasks at their time",
    load: async () => (await import("./commands/cron.ts")).CronCommand,
  },
  {
    path: "send",
    aliases: ["call"],
    group: "Run",
    summary: "send one task",
    load: async () => (await import("./commands/send.ts")).SendCommand,
  },
  {
    path: "status",
    group: "Look",
    summary: "queues and workers at a glance",
    load: async () => (await import("./commands/status.ts")).StatusCommand,
  },
  {
    path: "queues list",
    aliases: ["queues"],
    group: "Look",
    summary: "the queues and what is in them",
    load: async () => (await import("./commands/queues-list.ts")).QueuesListCommand,
  },
  {
    path: "queues show",
    group: "Look",
    summary: "one queue and its next messages",
    load: async () => (await import("./commands/queues-show.ts")).QueuesShowCommand,
  },
  {
    path: "dead list",
    aliases: ["dead"],
    group: "Look",
    summary: "the tasks that were given up, newest first",
    load: async () => (await import("./commands/dead-list.ts")).DeadListCommand,
  },
  {
    path: "dead show",
    group: "Look",
    summary: "one dead task: why it died, its errors",
    load: async () => (await import("./commands/dead-show.ts")).DeadShowCommand,
  },
  {
    path: "schedule list",
    aliases: ["schedule"],
    group: "Look",
    summary: "what is sent at its time, and when next",
    load: async () => (await import("./commands/schedule-list.ts")).ScheduleListCommand,
  },
  {
    path: "schedule next",
    group: "Look",
    summary: "the times that come next",
    load: async () => (await import("./commands/schedule-next.ts")).ScheduleNextCommand,
  },
  {
    path: "schedule explain",
    group: "Look",
    summary: "a schedule or a cron expression in words",
    load: async () => (await import("./commands/schedule-explain.ts")).ScheduleExplainCommand,
  },
  {
    path: "dead retry",
    group: "Repair",
    summary: "put dead tasks back into their queue",
    load: async () => (await import("./commands/dead-retry.ts")).DeadRetryCommand,
  },
  {
    path: "dead drop",
    group: "Repair",
    summary: "delete dead tasks for good",
    load: async () => (await import("./commands/dead-drop.ts")).DeadDropCommand,
  },
  {
    path: "queues pause",
    group: "Repair",
    summary: "let no worker take from a queue",
    load: async () => (await import("./commands/queues-pause.ts")).QueuesPauseCommand,
  },
  {
    path: "queues resume",
    group: "Repair",
    summary: "let workers take from it again",
    load: async () => (await import("./commands/queues-resume.ts")).QueuesResumeCommand,
  },
  {
    path: "queues purge",
    aliases: ["purge"],
    group: "Repair",
    summary: "delete what waits in a queue",
    load: async () => (await import("./commands/queues-purge.ts")).QueuesPurgeCommand,
  },
  {
    path: "schedule trigger",
    group: "Repair",
    summary: "send the task of a schedule now",
    load: async () => (await import("./commands/schedule-trigger.ts")).ScheduleTriggerCommand,
  },
  {
    path: "schedule pause",
    group: "Repair",
    summary: "send no ticks of a schedule",
    load: async () => (await import("./commands/schedule-pause.ts")).SchedulePauseCommand,
  },
  {
    path: "schedule resume",
    group: "Repair",
    summary: "send them again",
    load: async () => (await import("./commands/schedule-resume.ts")).ScheduleResumeCommand,
  },
  {
    path: "check",
    group: "Project",
    summary: "find mistakes in config and tasks, without a broker",
    load: async () => (await import("./commands/check.ts")).CheckCommand,
  },
  {
    path: "init",
    group: "Project",
    summary: "write a q.config.ts and a first task",
    load: async () => (await import("./commands/init.ts")).InitCommand,
  },
  {
    path: "completion",
    group: "Project",
    summary: "print a completion script for bash, zsh, fish or PowerShell",
    load: async () => (await import("./commands/completion.ts")).CompletionCommand,
  },
];

/** Commands that people do not type: the completion scripts call it. */
export const hiddenCommands: readonly CommandEntry[] = [
  {
    path: "__complete",
    group: "Project",
    summary: "names for the shell's completion",
    load: async () => (await import("./commands/complete.ts")).CompleteCommand,
  },
];
