import type { Usage } from "clipanion";
import type { ListedSchedule } from "@q/core";
import { BrokerCommand } from "../app-command.ts";
import { exitCode } from "../exit-code.ts";
import { loadImports } from "../load-app.ts";
import { isoTime } from "../output/numbers.ts";
import { printable } from "../output/printable.ts";
import { redact } from "../output/redact.ts";
import type { Column } from "../output/table.ts";
import { nextTicks } from "../schedule/next-ticks.ts";
import { relativeTime, scheduleTime } from "../schedule/schedule-words.ts";

const columns: readonly Column[] = [
  { title: "SCHEDULE", align: "left" },
  { title: "WHEN", align: "left" },
  { title: "TASK", align: "left" },
  { title: "NEXT", align: "left" },
  { title: "LAST", align: "left" },
  { title: "STATE", align: "left" },
];

export class ScheduleListCommand extends BrokerCommand {
  static override readonly paths: string[][] = [["schedule", "list"]];
  static override readonly usage: Usage = {
    details:
      "The schedules of the config, those that were made at run time, and what the broker remembers of others: orphans are those whose task is gone.\n" +
      "LAST is the newest tick that was sent or skipped; before the first one, when a cron process saw the schedule for the first time.",
    examples: [
      ["all", "q schedule"],
      ["for a script", "q schedule list --json"],
    ],
  };

  async execute(): Promise<number> {
    const { listed, nowMs } = await this.withBroker(async (loaded) => {
      await loadImports(loaded, this.context);
      const { schedules } = loaded.app;
      return { listed: await schedules.list(), nowMs: (await schedules.now()) ?? Date.now() };
    });
    if (this.json) {
      this.output.json({ schedules: listed.map((one) => summaryOf(one, nowMs)) });
      return exitCode.done;
    }
    if (listed.length === 0) this.output.note("no schedules: createApp({ schedule: { … } }) declares them");
    const { dim } = this.output.colors;
    this.output.table(
      columns,
      listed.map((one) => {
        const next = nextOf(one, nowMs);
        return [
          printable(one.name),
          one.schedule === null ? "" : printable(scheduleTime(one.schedule)),
          one.schedule === null ? "" : printable(one.schedule.task),
          next === null ? "" : relativeTime(next, nowMs),
          one.lastTick === null ? dim("none yet") : relativeTime(one.lastTick, nowMs),
          this.#state(one),
        ];
      }),
    );
    return exitCode.done;
  }

  #state({ problem, paused, origin }: ListedSchedule): string {
    const { red, yellow, dim } = this.output.colors;
    if (problem !== null)
      return red(problem.code === "Q2029" ? "orphan: its task is gone" : redact(printable(problem.message)));
    if (origin === "unknown") return dim("not in this app");
    return paused ? yellow("paused") : "";
  }
}

function nextOf({ schedule, timing, paused }: ListedSchedule, nowMs: number): number | null {
  if (schedule === null || timing === null || paused) return null;
  return nextTicks(schedule, timing, 1, nowMs)[0] ?? null;
}

function summaryOf(listed: ListedSchedule, nowMs: number): Record<string, unknown> {
  const { name, origin, paused, lastTick, schedule, problem } = listed;
  const next = nextOf(listed, nowMs);
  return {
    name,
    origin,
    task: schedule?.task ?? null,
    cron: schedule?.cron ?? null,
    everyMs: schedule?.everyMs ?? null,
    timezone: schedule?.timezone ?? null,
    missed: schedule?.missed ?? null,
    overlap: schedule?.overlap ?? null,
    paused,
    lastTick: lastTick === null ? null : isoTime(lastTick),
    next: next === null ? null : isoTime(next),
    problem: problem === null ? null : { code: problem.code, message: redact(problem.message) },
  };
}
