import { fileURLToPath } from "node:url";

/** A place in the user's source, for error messages. */
export interface SourceLocation {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

/**
 * Where `below` was called from, or `undefined` when the engine cannot tell (a native caller, an eval).
 * @param below the function whose caller is meant; it and everything it called are left out
 */
export function callSite(below: (...args: never[]) => unknown): SourceLocation | undefined {
  const prepare = Error.prepareStackTrace;
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_error, sites) => sites;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, below);
    // prepareStackTrace above makes the stack a list of call sites.
    const site = (holder.stack as readonly NodeJS.CallSite[])[0];
    const file = site?.getFileName();
    const line = site?.getLineNumber();
    if (typeof file !== "string" || typeof line !== "number") return undefined;
    return { file: file.startsWith("file:") ? fileURLToPath(file) : file, line };
  } finally {
    Error.prepareStackTrace = prepare;
    Error.stackTraceLimit = limit;
  }
}

/** `src/tasks/events.ts:14`, relative to the working directory where that is shorter. */
export function formatLocation(location: SourceLocation | undefined): string {
  if (location === undefined) return "an unknown place";
  const here = `${process.cwd()}/`;
  const file = location.file.startsWith(here) ? location.file.slice(here.length) : location.file;
  return `${file}:${location.line}`;
}
