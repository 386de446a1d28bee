import { Option, type Usage } from "clipanion";
import { readSchedule, timingOf, type Schedule, type Timing } from "@q/core";
import { AppCommand } from "../app-command.ts";
import { UsageError } from "../cli-errors.ts";
import { exitCode } from "../exit-code.ts";
import { flagNumber } from "../flag-values.ts";
import { valueFlag } from "../flag.ts";
import { loadImports } from "../load-app.ts";
import { printable } from "../output/printable.ts";
import type { Column } from "../output/table.ts";
import { clockChanges, type ClockChange } from "../schedule/clock-changes.ts";
import { nextTicks, tickCells, tickJson } from "../schedule/next-ticks.ts";
import { scheduleTime, scheduleWords } from "../schedule/schedule-words.ts";

const columns: readonly Column[] = [
  { title: "", align: "left" },
  { title: "", align: "left" },
  { title: "", align: "left" },
];
const mostTimes = 3;

export class ScheduleExplainCommand extends AppCommand {
  static override readonly paths: string[][] = [["schedule", "explain"]];
  static override readonly operands: string = "<schedule|expression>";
  static override readonly usage: Usage = {
    details:
      "What it means, when it comes next, and on which days of the coming year changing the clocks makes a difference. An expression needs no config.",
    examples: [
      ["one of yours", "q schedule explain digest"],
      ["before you write it down", "q schedule explain '30 2 * * *' --tz Europe/Vienna"],
    ],
  };

  subject: string = Option.String({ name: "schedule" });
  timezone: string | undefined = valueFlag("--tz,--timezone", "zone", "of the expression (default UTC)");
  count: string | undefined = valueFlag("-n,--count", "n", "how many of the next times (default 5)");

  async execute(): Promise<number> {
    const count = flagNumber("--count", this.count, { from: 1, to: 1000 }) ?? 5;
    const { schedule, timing } = await this.#find();
    const nowMs = Date.now();
    const words = await scheduleWords(schedule);
    const ticks = nextTicks(schedule, timing, count, nowMs);
    const changes = await clockChanges(schedule, timing, nowMs);
    if (this.json) {
      const { cron, everyMs, timezone, task, missed, overlap, duplicates } = schedule;
      const own = this.#isExpression ? {} : { name: schedule.name, task, missed, overlap, duplicates };
      const next = ticks.map((at) => tickJson(at, timezone));
      this.output.json({ ...own, cron, everyMs, timezone, words, next, clockChanges: changes });
      return exitCode.done;
    }
    const { bold, dim } = this.output.colors;
    this.output.text(`${bold(printable(scheduleTime(schedule)))}  ${printable(words)}`);
    if (!this.#isExpression) this.output.text(dim(printable(policyOf(schedule))));
    this.output.table(
      columns,
      ticks.map((at) => tickCells(at, schedule.timezone, nowMs)),
    );
    for (const change of changes) this.output.text(sentenceOf(change));
    return exitCode.done;
  }

  get #isExpression(): boolean {
    return /\s/.test(this.subject.trim()) || this.subject.startsWith("@");
  }

  async #find(): Promise<{ readonly schedule: Schedule; readonly timing: Timing }> {
    if (this.#isExpression) {
      const timezone = this.timezone === undefined ? {} : { timezone: this.timezone };
      const schedule = readSchedule(
        "expression",
        { task: "none", cron: this.subject, ...timezone },
        { isStored: false },
      );
      return { schedule, timing: await timingOf(schedule) };
    }
    if (this.timezone !== undefined) throw new UsageError("Q2103", "--tz is for an expression; a schedule has its own");
    const loaded = await this.loadApp();
    await loadImports(loaded, this.context);
    try {
      const { schedule, problem, timing } = await loaded.app.schedules.find(this.subject);
      if (schedule === null || timing === null) throw problem ?? new TypeError("expected a schedule or a problem");
      return { schedule, timing };
    } finally {
      await loaded.app.close();
    }
  }
}

function policyOf({ task, missed, overlap, duplicates, offsetMs, startDeadlineMs }: Schedule): string {
  const parts = [`sends ${task}`, `missed: ${missed}`, `overlap: ${overlap}`];
  if (duplicates === "drop") parts.push("duplicates: drop");
  if (startDeadlineMs !== null) parts.push(`at most ${startDeadlineMs / 1000} s late`);
  if (offsetMs > 0) parts.push(`${Math.round(offsetMs / 1000)} s after its time (jitter)`);
  return parts.join(" · ");
}

function sentenceOf({ date, direction, without, instead }: ClockChange): string {
  const parts = [
    without.length === 0 ? "" : `nothing at ${listed(without)}`,
    instead.length === 0 ? "" : `${direction === "back" ? "again" : "instead"} at ${listed(instead)}`,
  ];
  return `${date}  clocks go ${direction}: ${parts.filter((part) => part !== "").join(", ")}`;
}

function listed(times: readonly string[]): string {
  const shown = times.slice(0, mostTimes).join(", ");
  return times.length > mostTimes ? `${shown} and ${times.length - mostTimes} more` : shown;
}
