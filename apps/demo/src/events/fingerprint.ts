import { createHash } from "node:crypto";
import { caughtException } from "./error-event.ts";
import type { ErrorEvent, StackFrame } from "./error-event.ts";

const topFrames = 5;

/**
 * Names the group of an event: the same fault gives the same fingerprint, whatever its message says and however the lines move.
 * The error's type and the innermost frames of the program's own code count; without any, those of libraries; without these, the
 * message with its numbers and ids taken out. Frames of the runtime never count: they tell what the event loop did just then. 16 hexadecimal digits.
 */
export function fingerprintOf(event: ErrorEvent): string {
  return createHash("sha256").update(fingerprintParts(event).join("\n")).digest("hex").slice(0, 16);
}

/** What goes into the fingerprint, for people who ask why two events are in one group. */
export function fingerprintParts(event: ErrorEvent): readonly string[] {
  const exception = caughtException(event);
  if (exception === undefined) return ["message", withoutNumbers(event.message ?? "")];
  const frames = exception.stacktrace?.frames ?? [];
  const own = frames.filter((frame) => frame.in_app === true);
  const foreign = frames.filter(
    ({ filename }) => filename !== undefined && !filename.startsWith("node:") && filename !== "<anonymous>",
  );
  const places = withoutRecursion((own.length > 0 ? own : foreign).toReversed().map(placeOf)).slice(0, topFrames);
  return [exception.type, ...(places.length > 0 ? places : [withoutNumbers(exception.value ?? "")])];
}

/** Lines shift with every release, so a frame counts by file and function; only a function without a name needs its line. */
function placeOf(frame: StackFrame): string {
  const name = (frame.function ?? "").replace(/^(async |new )+/, "").replace(/ \[as [^\]]+\]$/, "");
  return `${frame.filename ?? "?"} ${name === "" || name === "<anonymous>" ? `line ${frame.lineno ?? "?"}` : name}`;
}

/** How deep a recursion was when it overflowed must not make a new group. */
function withoutRecursion(places: readonly string[]): readonly string[] {
  return places.filter((place, index) => place !== places[index - 1]);
}

function withoutNumbers(message: string): string {
  const [firstLine = ""] = message.split("\n", 1);
  return firstLine
    .slice(0, 256)
    .replace(/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, "<uuid>")
    .replace(/\b(?=[a-f]*\d)[0-9a-f]{12,}\b/gi, "<hex>")
    .replace(/\d+/g, "<n>");
}
