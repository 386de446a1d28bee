import { formatMs } from "@q/core";

/** `18,204`, or `?` for what the broker cannot tell. */
export function formatCount(count: number | null): string {
  return count === null ? "?" : count.toLocaleString("en-US");
}

/** `1 task`, `2 tasks`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `4 min 12 s ago`. */
export function formatAgo(atMs: number, nowMs: number): string {
  return `${formatMs(Math.max(0, nowMs - atMs))} ago`;
}

/** `2026-11-22 09:42:31 UTC`. */
export function formatInstant(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
