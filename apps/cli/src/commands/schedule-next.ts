import { Option, type Usage } from "clipanion";
import { BrokerCommand } from "../app-command.ts";
import { exitCode } from "../exit-code.ts";
import { flagNumber } from "../flag-values.ts";
import { valueFlag } from "../flag.ts";
import { loadImports } from "../load-app.ts";
import { printable } from "../output/printable.ts";
import type { Column } from "../output/table.ts";
import { nextTicks, tickCells, tickJson } from "../schedule/next-ticks.ts";

const columns: readonly Column[] = [
  { title: "SCHEDULE", align: "left" },
  { title: "THERE", align: "left" },
  { title: "UTC", align: "left" },
  { title: "", align: "left" },
];

export class ScheduleNextCommand extends BrokerCommand {
  static override readonly paths: string[][] = [["schedule", "next"]];
  static override readonly operands: string = "[schedule...]";
  static override readonly usage: Usage = {
    details: "The next times of all schedules, or of some: on the clocks of their zones, in UTC, and from now.",
    examples: [
      ["what comes next", "q schedule next"],
      ["the next ten of one", "q schedule next digest --count 10"],
    ],
  };

  names: string[] = Option.Rest();
  count: string | undefined = valueFlag("-n,--count", "n", "how many (default 5)");

  async execute(): Promise<number> {
    const count = flagNumber("--count", this.count, { from: 1, to: 1000 }) ?? 5;
    const { found, nowMs } = await this.withBroker(async (loaded) => {
      await loadImports(loaded, this.context);
      const { schedules } = loaded.app;
      const asked =
        this.names.length === 0
          ? await schedules.list()
          : await Promise.all(this.names.map((name) => schedules.find(name)));
      return { found: asked, nowMs: (await schedules.now()) ?? Date.now() };
    });
    const ticks = found
      .flatMap(({ name, schedule, timing }) =>
        schedule === null || timing === null
          ? []
          : nextTicks(schedule, timing, count, nowMs).map((at) => ({ name, at, timezone: schedule.timezone })),
      )
      .toSorted((a, b) => a.at - b.at)
      .slice(0, count);
    for (const { problem } of found) if (problem !== null) this.output.warn(printable(problem.message));
    if (this.json)
      this.output.json({ ticks: ticks.map(({ name, at, timezone }) => ({ name, ...tickJson(at, timezone) })) });
    else
      this.output.table(
        columns,
        ticks.map(({ name, at, timezone }) => [printable(name), ...tickCells(at, timezone, nowMs)]),
      );
    return exitCode.done;
  }
}
