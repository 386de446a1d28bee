import { randomUUID } from "node:crypto";
import type { ErrorEvent, ExceptionValue } from "../events/error-event.ts";
import { stackFramesOf } from "./stack-frames.ts";

/** Facts about the program that failed. */
export interface Program {
  readonly project: string;
  readonly release: string;
  readonly environment: string;
  /** Folder of its source; frames inside it are its own. */
  readonly root: string;
}

/** Characters of one error message; Sentry's clients cut there too. */
export const maxMessageLength = 8192;
const maxChain = 20;

/** Makes an event, in Sentry's shape, of whatever was thrown. Never throws, also when what was thrown does on being looked at. */
export function eventOfError(thrown: unknown, program: Program): ErrorEvent {
  const code = codeOf(thrown);
  return {
    event_id: randomUUID().replaceAll("-", ""),
    timestamp: new Date().toISOString(),
    platform: "node",
    project: program.project,
    level: "error",
    release: program.release,
    environment: program.environment,
    tags: { runtime: `node ${process.versions.node}`, ...(code === undefined ? {} : { "error.code": code }) },
    exception: { values: chainOf(thrown, program.root) },
  };
}

/** The error and what it names as its causes and parts, the first cause first. A chain may run in a circle. */
function chainOf(thrown: unknown, root: string): readonly ExceptionValue[] {
  const seen = new Set<unknown>();
  const values: ExceptionValue[] = [];
  const waiting: { thrown: unknown; parent: number | undefined; type: string }[] = [
    { thrown, parent: undefined, type: "generic" },
  ];
  for (let next = waiting.shift(); next !== undefined && values.length < maxChain; next = waiting.shift()) {
    if (seen.has(next.thrown)) continue;
    seen.add(next.thrown);
    const id = values.length;
    const parent = next.parent === undefined ? {} : { parent_id: next.parent };
    values.push({
      ...exceptionOf(next.thrown, root),
      mechanism: { type: next.type, handled: true, exception_id: id, ...parent },
    });
    for (const linked of linksOf(next.thrown)) waiting.push({ ...linked, parent: id });
  }
  return values.toReversed();
}

function linksOf(thrown: unknown): { thrown: unknown; type: string }[] {
  if (!isError(thrown)) return [];
  const cause = read(() => thrown.cause);
  const parts = read(() => (thrown instanceof AggregateError ? (thrown.errors as unknown) : []));
  return [
    ...(cause === undefined || cause === null ? [] : [{ thrown: cause, type: "cause" }]),
    ...(Array.isArray(parts) ? parts.map((part: unknown) => ({ thrown: part, type: "errors" })) : []),
  ];
}

function exceptionOf(thrown: unknown, root: string): ExceptionValue {
  if (!isError(thrown)) return { type: `thrown ${kindOf(thrown)}`, value: cut(describe(thrown)) };
  const name = read(() => thrown.name);
  const message = read(() => thrown.message);
  const frames = stackFramesOf(thrown, root);
  return {
    type: typeof name === "string" && name !== "" ? name.slice(0, 256) : "Error",
    value: cut(typeof message === "string" ? message : ""),
    ...(frames.length > 0 ? { stacktrace: { frames } } : {}),
  };
}

/** Errors of another context are no instances of ours. */
function isError(thrown: unknown): thrown is Error {
  return read(() => thrown instanceof Error || Object.prototype.toString.call(thrown) === "[object Error]") === true;
}

function codeOf(thrown: unknown): string | undefined {
  const code = isError(thrown) ? read(() => ("code" in thrown ? thrown.code : undefined)) : undefined;
  return typeof code === "string" || typeof code === "number" ? String(code).slice(0, 200) : undefined;
}

function kindOf(thrown: unknown): string {
  return thrown === null ? "null" : typeof thrown;
}

function describe(thrown: unknown): string {
  if (typeof thrown === "object" && thrown !== null) {
    return `object with keys ${(read(() => Object.keys(thrown).join(", ")) as string | undefined) ?? "?"}`;
  }
  return typeof thrown === "function" ? `function ${thrown.name}` : String(thrown);
}

function cut(text: string): string {
  return text.length <= maxMessageLength ? text : `${text.slice(0, maxMessageLength - 1)}…`;
}

/** The value of a property, or nothing when its getter throws. */
function read(get: () => unknown): unknown {
  try {
    return get();
  } catch {
    return undefined;
  }
}
