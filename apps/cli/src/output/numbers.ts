import { formatMs } from "@q/core";

/** `18,204`, or `?` for what the broker cannot tell. */
export function formatCount(count: number | null): string {
  return count === null ? "?" : count.toLocaleString("en-US");
}

/** `1 task`, `2 tasks`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `2026-11-22T09:42:31.000Z`, or `null` for a number that is no time: others may have put any into the broker. */
export function isoTime(epochMs: number): string | null {
  const time = new Date(epochMs);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** `4 min 12 s ago`, or `?` for what is no time. */
export function formatAgo(atMs: number, nowMs: number): string {
  return isoTime(atMs) === null ? "?" : `${formatMs(Math.max(0, nowMs - atMs))} ago`;
}

/** `2026-11-22 09:42:31 UTC`, or `?` for what is no time. */
export function formatInstant(epochMs: number): string {
  const iso = isoTime(epochMs);
  return iso === null ? "?" : `${iso.slice(0, 19).replace("T", " ")} UTC`;
}
