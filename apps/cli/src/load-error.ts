import { relative } from "node:path";
import { LoadError } from "./cli-errors.ts";
import { qCodeOf } from "./exit-code.ts";
import { placeIn } from "./place-in-stack.ts";

/**
 * What to tell about a module of the user's that did not load: the message, and the line of theirs that it comes from.
 * An error of ours, thrown while the module ran, already says what is wrong and keeps its text; one of the broker's is passed on as it is.
 */
export function loadError(file: string, cause: unknown, cwd: string): Error {
  const code = qCodeOf(cause);
  if (cause instanceof Error && code !== undefined) {
    // What carries one of our codes has these fields, unless it was made by an old copy of the package.
    const { hint, details } = cause as Error & Partial<Pick<LoadError, "hint" | "details">>;
    return code.startsWith("Q2") ? new LoadError(code, cause.message, { cause, hint, details }) : cause;
  }
  const message = cause instanceof Error ? cause.message : String(cause);
  const name = cause instanceof Error && cause.name !== "Error" ? `${cause.name}: ` : "";
  const place = cause instanceof Error ? placeIn(`${cause.stack ?? ""}\n${cause.message}`) : undefined;
  return new LoadError("Q2002", `${shorten(file, cwd)} failed to load: ${name}${firstLine(message)}`, {
    cause,
    hint: hintFor(message, shorten(file, cwd), place === undefined ? undefined : shorten(place, cwd)),
    ...(place === undefined ? {} : { details: { at: shorten(place, cwd) } }),
  });
}

function hintFor(message: string, file: string, place: string | undefined): string {
  if (/Cannot find (module|package)/.test(message)) return "is it installed, and is the path right?";
  const other = place?.replace(/:\d+:\d+$/, "");
  // What another module exports is not there yet while that one is still being loaded.
  const isEarly = /^Cannot (read properties of undefined|access '.*' before initialization)/.test(message);
  if (isEarly && other !== undefined && other !== file)
    return `do ${file} and ${other} import each other? The config names task files in imports, and imports none`;
  return "-v shows the stack";
}

function shorten(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith("..") ? path : short;
}

function firstLine(text: string): string {
  // jiti puts the place on a second line; it is told apart.
  return (text.split("\n", 1)[0] ?? "").trim();
}
