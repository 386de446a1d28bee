import { isAbsolute, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseStack } from "error-stack-parser-es/lite";
import type { StackFrame } from "../events/error-event.ts";

/** One step of a stack as V8 or a stack's text tells it. */
interface Step {
  readonly name: string | null | undefined;
  readonly file: string | null | undefined;
  readonly line: number | null | undefined;
  readonly column: number | null | undefined;
}

/**
 * The call stack of an error, outermost call first. V8's call sites where it still has them; otherwise the text of `stack`, which is all
 * that is left of an error that crossed from another thread or context, or whose stack somebody has read before. Empty when there is none.
 * @param root folder of the program; what is in it, but in no `node_modules`, is its own code
 */
export function stackFramesOf(error: Error, root: string): readonly StackFrame[] {
  const { sites, text } = readStack(error);
  const steps = sites?.map(stepOfCallSite) ?? stepsOfText(text);
  return steps.map((step) => frameOf(step, root)).toReversed();
}

/** The first look at `stack` is when V8 hands out the call sites; the hook must not stay, for it changes every error of the process. */
function readStack(error: Error): { sites: readonly NodeJS.CallSite[] | undefined; text: string } {
  const before = Error.prepareStackTrace;
  let sites: readonly NodeJS.CallSite[] | undefined;
  Error.prepareStackTrace = (failed, callSites) => {
    if (failed === error) sites = callSites;
    return [String(failed), ...callSites.map((site) => `    at ${lineOf(site)}`)].join("\n");
  };
  try {
    const text: unknown = error.stack;
    return { text: typeof text === "string" ? text : "", sites };
  } catch {
    // An error's own getter may throw; there is no stack then.
    return { text: "", sites };
  } finally {
    // Deleting is not the same as setting undefined: Node looks whether the property is there.
    if (before === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Error.prepareStackTrace = before;
  }
}

/** As V8 writes it. */
function lineOf(site: NodeJS.CallSite): string {
  // True: V8's call sites have a toString of their own, which Node's types leave out.
  return (site as NodeJS.CallSite & { toString(): string }).toString();
}

function stepOfCallSite(site: NodeJS.CallSite): Step {
  const method = site.getMethodName();
  const type = site.getTypeName();
  const name = site.getFunctionName() ?? (method !== null && type !== null ? `${type}.${method}` : null);
  return { name, file: site.getFileName(), line: site.getLineNumber(), column: site.getColumnNumber() };
}

function stepsOfText(text: string): readonly Step[] {
  if (!/^\s+at /m.test(text)) return [];
  return parseStack(text, { allowEmpty: true }).map((step) => ({
    name: step.function,
    file: step.file,
    line: step.line,
    column: step.col,
  }));
}

function frameOf({ name, file, line, column }: Step, root: string): StackFrame {
  const path = file?.startsWith("file:") === true ? fileURLToPath(file) : file;
  const inside = typeof path === "string" && isAbsolute(path) ? relative(root, path) : undefined;
  const isOwn = inside !== undefined && !inside.startsWith("..") && !inside.split(sep).includes("node_modules");
  const filename = isOwn ? inside.replaceAll(sep, "/") : path;
  return {
    ...(name ? { function: name } : {}),
    ...(filename ? { filename } : {}),
    ...(inside !== undefined && path ? { abs_path: path } : {}),
    ...(line ? { lineno: line } : {}),
    ...(column ? { colno: column } : {}),
    in_app: isOwn,
  };
}
