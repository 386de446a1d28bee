import type { NextTick } from "@q/scheduler";
import type { Colors } from "../output/colors.ts";
import { counted, formatInstant } from "../output/numbers.ts";
import { printable } from "../output/printable.ts";
import { redact } from "../output/redact.ts";
import { relativeTime } from "../schedule/schedule-words.ts";

export interface CronBannerFacts {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly broker: string;
  readonly schedules: number;
  readonly next: readonly NextTick[];
  readonly also: readonly string[];
  readonly isDry: boolean;
  /** Whether a tick may be sent twice when a process dies. */
  readonly mayRepeat: boolean;
  readonly nowMs: number;
  readonly readyMs: number;
}

const mostNext = 3;

/** What a cron process says when it starts on a terminal. */
export function renderCronBanner(facts: CronBannerFacts, { bold, dim, yellow }: Colors): string {
  const row = (label: string, text: string): string => `  ${dim(label.padEnd(9))} ${text}`;
  const next = facts.next
    .slice(0, mostNext)
    .map(({ name, at }) => `${printable(name)}  ${formatInstant(at)}, ${relativeTime(at, facts.nowMs)}`);
  const often = facts.mayRepeat ? ", or twice when one of them dies just then" : "";
  return [
    `  ${bold(`q ${facts.version}`)}  cron   ${dim(`node ${facts.node} · pid ${facts.pid}`)}`,
    "",
    row("broker", redact(facts.broker)),
    row("schedules", facts.schedules === 0 ? "none" : counted(facts.schedules, "schedule")),
    ...next.map((text, index) => row(index === 0 ? "next" : "", text)),
    ...(facts.also.length === 0 ? [] : [row("also", facts.also.join(" · "))]),
    "",
    ...(facts.isDry ? [`  ${yellow("!")} a dry run: nothing is sent`] : []),
    ...(facts.schedules === 0
      ? [`  ${yellow("!")} nothing to send: createApp({ schedule: { … } }) or app.schedules.put() declares it`]
      : []),
    `  Ready in ${Math.round(facts.readyMs)} ms. Each tick is sent once${often}, however many of these run. Ctrl-C to stop.`,
    "",
  ].join("\n");
}
