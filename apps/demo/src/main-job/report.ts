import type { SavedEvent } from "../stores/event-store.ts";
import type { Finding } from "./check.ts";
import { percentile } from "./percentile.ts";
import type { SentRequest } from "./request-mix.ts";

/** The table of what was expected and what was found. */
export function findingsTable(findings: readonly Finding[]): readonly string[] {
  const rows = findings.map(({ what, expected, found, ok, note }) => ({
    what,
    expected: grouped(expected),
    found: grouped(String(found)),
    verdict: ok ? "ok" : "WRONG",
    note,
  }));
  const width = (column: "what" | "expected" | "found", title: string): number =>
    Math.max(title.length, ...rows.map((row) => row[column].length));
  const [whatWidth, expectedWidth, foundWidth] = [
    width("what", ""),
    width("expected", "expected"),
    width("found", "found"),
  ];
  const line = (what: string, expected: string, found: string, rest: string): string =>
    `  ${what.padEnd(whatWidth)}  ${expected.padStart(expectedWidth)}  ${found.padStart(foundWidth)}  ${rest}`.trimEnd();
  return [
    line("", "expected", "found", ""),
    ...rows.map((row) =>
      line(row.what, row.expected, row.found, row.note === "" ? row.verdict : `${row.verdict}  ${row.note}`),
    ),
  ];
}

/** How soon a client had its answer, against how soon its event was saved. */
export function latencyLines(requests: readonly SentRequest[], saved: readonly SavedEvent[]): readonly string[] {
  const answered = requests.filter(({ status }) => status === 200).map(({ ms }) => ms);
  const savedAfter = saved.map(({ acceptedAt, savedAt }) => savedAt - acceptedAt);
  const line = (what: string, values: readonly number[]): string =>
    `  ${what.padEnd(26)}p50 ${milliseconds(percentile(values, 50))}   p99 ${milliseconds(percentile(values, 99))}`;
  return [line("the client had its answer", answered), line("the event was saved", savedAfter)];
}

function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`.padStart(9);
}

function grouped(text: string): string {
  return /^\d+$/.test(text) ? Number(text).toLocaleString("en-US") : text;
}
