import { toUSVString } from "node:util";
import { caughtException } from "./error-event.ts";
import type { ErrorEvent } from "./error-event.ts";

/** What a list of groups shows of an event. */
export interface EventSummary {
  /** `TypeError: x is not a function`, one line, at most 160 characters. */
  readonly title: string;
  /** The function and file that threw. Empty when unknown. */
  readonly culprit: string;
  /** The browser or client of the request. Empty when unknown. */
  readonly client: string;
}

/** Sums up an event for people. */
export function summaryOf(event: ErrorEvent): EventSummary {
  const exception = caughtException(event);
  const text = exception === undefined ? (event.message ?? "") : `${exception.type}: ${exception.value ?? ""}`;
  const frames = exception?.stacktrace?.frames ?? [];
  const frame = frames.findLast((one) => one.in_app === true) ?? frames.at(-1);
  return {
    title: oneLine(text, 160),
    culprit: frame === undefined ? "" : oneLine(`${frame.function ?? "?"} in ${frame.filename ?? "?"}`, 160),
    client: clientOf(event),
  };
}

/**
 * The first word of the user agent.
 *
 * This function has a bug, left in on purpose: Sentry's clients may send headers as a list of pairs, and then the line below
 * throws a TypeError. That is a programming error: retrying cannot help, so the message goes to the dead letters, where it
 * waits for the repaired program. The README shows how to repair it and how to run those messages again.
 */
function clientOf(event: ErrorEvent): string {
  if (event.request?.headers === undefined) return "";
  // The mistaken assumption is this cast.
  const headers = event.request.headers as Record<string, string>;
  const userAgent = headers["User-Agent"] as string;
  return oneLine(userAgent.split(" ", 1).join(""), 64);
}

/** Controls, also those that turn the writing direction, would disturb a terminal; half a surrogate pair is no character. */
function oneLine(text: string, limit: number): string {
  const flat = toUSVString(text.slice(0, limit * 4))
    .replaceAll(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .trim();
  const characters = Array.from(flat);
  return characters.length <= limit ? flat : `${characters.slice(0, limit - 1).join("")}…`;
}
