import type { ErrorEvent } from "./error-event.ts";
import { EventRefused } from "./event-refused.ts";

/** Bytes of one event. What is longer is refused before it is read. */
export const maxEventBytes: number = 256 * 1024;
/** Levels of nesting of one event. */
export const maxEventDepth: number = 32;

const maxExceptions = 50;
const maxFrames = 250;
const levels: readonly unknown[] = ["fatal", "error", "warning", "info", "debug"];

/**
 * Reads a request's body as an event. Fields that it does not know pass: clients are newer and older than the service.
 * @throws EventRefused with the first field that is wrong
 */
export function readEvent(text: string): ErrorEvent {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    // The parser's message quotes the body, which may hold a secret.
    throw new EventRefused(400, "not_json", "the body is not JSON");
  }
  if (depthExceeds(event, maxEventDepth)) {
    throw new EventRefused(400, "too_deep", `the event is nested deeper than ${maxEventDepth} levels`);
  }
  return checkEvent(event);
}

function checkEvent(event: unknown): ErrorEvent {
  if (!isRecord(event)) throw new EventRefused(400, "invalid_field", `expected an object, got ${kindOf(event)}`);
  const eventId = requiredText(event, "event_id", 36).replaceAll("-", "").toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(eventId)) throw invalid("event_id", "32 hexadecimal digits", "something else");
  checkTimestamp(event["timestamp"]);
  requiredText(event, "platform", 64);
  requiredText(event, "project", 64);
  for (const [field, limit] of [
    ["release", 250],
    ["environment", 64],
  ] as const)
    optionalText(event, field, limit);
  optionalText(event, "message", 8192);
  if (event["level"] !== undefined && !levels.includes(event["level"])) {
    throw invalid("level", levels.join(", "), kindOf(event["level"]));
  }
  if (event["exception"] === undefined && event["message"] === undefined) {
    throw new EventRefused(
      400,
      "missing_field",
      "exception is missing: expected an exception or a message",
      "exception",
    );
  }
  if (event["exception"] !== undefined) checkException(event["exception"]);
  // True: every field that ErrorEvent names has been looked at, except those it declares as unknown.
  return { ...event, event_id: eventId } as unknown as ErrorEvent;
}

function checkTimestamp(value: unknown): void {
  if (value === undefined) throw missing("timestamp", "an ISO 8601 date or seconds since 1970");
  const time = typeof value === "number" ? value * 1000 : typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (!Number.isFinite(time)) throw invalid("timestamp", "an ISO 8601 date or seconds since 1970", kindOf(value));
}

function checkException(exception: unknown): void {
  const values = isRecord(exception) ? exception["values"] : undefined;
  if (!Array.isArray(values) || values.length === 0)
    throw invalid("exception.values", "a list with an error", kindOf(values));
  if (values.length > maxExceptions)
    throw invalid("exception.values", `at most ${maxExceptions} errors`, `${values.length}`);
  values.forEach((value: unknown, index) => {
    const path = `exception.values[${index}]`;
    if (!isRecord(value)) throw invalid(path, "an object", kindOf(value));
    requiredText(value, "type", 256, `${path}.type`);
    optionalText(value, "value", 16_384, `${path}.value`);
    checkFrames(value["stacktrace"], `${path}.stacktrace`);
  });
}

function checkFrames(stacktrace: unknown, path: string): void {
  // Sentry allows null wherever a field may be absent.
  if (stacktrace === undefined || stacktrace === null) return;
  const frames = isRecord(stacktrace) ? stacktrace["frames"] : undefined;
  if (!Array.isArray(frames)) throw invalid(`${path}.frames`, "a list", kindOf(frames));
  if (frames.length > maxFrames) throw invalid(`${path}.frames`, `at most ${maxFrames} frames`, `${frames.length}`);
  frames.forEach((frame: unknown, index) => {
    if (!isRecord(frame)) throw invalid(`${path}.frames[${index}]`, "an object", kindOf(frame));
    optionalText(frame, "function", 1024, `${path}.frames[${index}].function`);
    optionalText(frame, "filename", 1024, `${path}.frames[${index}].filename`);
  });
}

function requiredText(record: Record<string, unknown>, field: string, limit: number, path = field): string {
  if (record[field] === undefined) throw missing(path, "text");
  optionalText(record, field, limit, path);
  // True: optionalText has refused whatever is neither text nor absent.
  const text = record[field] as string;
  if (text === "") throw invalid(path, "text", "none");
  return text;
}

function optionalText(record: Record<string, unknown>, field: string, limit: number, path = field): void {
  const value = record[field];
  if (value === undefined) return;
  if (typeof value !== "string") throw invalid(path, "text", kindOf(value));
  if (value.length > limit) throw invalid(path, `at most ${limit} characters`, `${value.length}`);
}

/** Walks without recursion, so that no depth can exhaust the stack. */
function depthExceeds(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= limit) return true;
    level = level
      .flatMap((item) => (typeof item === "object" && item !== null ? (Object.values(item) as unknown[]) : []))
      .filter(isNested);
  }
  return false;
}

function isNested(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : value === undefined ? "nothing" : `a ${typeof value}`;
}

function missing(path: string, expected: string): EventRefused {
  return new EventRefused(400, "missing_field", `${path} is missing: expected ${expected}`, path);
}

function invalid(path: string, expected: string, got: string): EventRefused {
  return new EventRefused(400, "invalid_field", `${path}: expected ${expected}, got ${got}`, path);
}
