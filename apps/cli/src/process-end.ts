import { relative } from "node:path";
import { placeIn } from "./place-in-stack.ts";

/**
 * Tells an end of the process that is meant from one that comes over a command: modules and handlers of the user's may call `process.exit`, and
 * an await that nothing settles leaves Node without work. Its errors are made without core, which `q help` does not load.
 */
export class ProcessEnd {
  #isMeant = false;
  #running: (() => readonly string[]) | undefined;

  /** The command is over: whatever ends the process from now on is no news. */
  mean(): void {
    this.#isMeant = true;
  }

  /** Leaves at once. */
  readonly exit = (code: number): never => {
    this.mean();
    process.exit(code);
  };

  /** The command has done what it does before it works until it is told to stop. @param running names of the tasks that run */
  atWork(running: () => readonly string[]): void {
    this.#running = running;
  }

  /** Whether that is so. */
  get isAtWork(): boolean {
    return this.#running !== undefined;
  }

  /** What to tell about an end with this code; to be asked while the process emits `exit`. `undefined`: nothing, or Node has told it. */
  errorAt(code: number, cwd: string): Error | undefined {
    if (this.#isMeant) return undefined;
    const stack = stackAbove(process.exit);
    // 13 is Node's code for a top-level await that nothing settles any more. Any other that nobody asked for is that of an error that nobody caught.
    if (stack === undefined) return code === 0 || code === 13 ? neverSettled() : undefined;
    const place = placeIn(stack);
    const at = place === undefined ? {} : { at: relative(cwd, place) };
    return this.#running === undefined ? cutShort(code, at) : workCutShort(code, { ...at, ...named(this.#running()) });
  }
}

type Details = Readonly<Record<string, string>>;

function neverSettled(): Error {
  return Object.assign(new Error("the process ended before the command had done its work"), {
    code: "Q2115",
    hint: "a module of the project awaits at its top level something that never comes",
  });
}

function cutShort(code: number, details: Details): Error {
  return Object.assign(new Error(`process.exit(${code}) was called before the command had done its work`), {
    code: "Q2115",
    hint: "a module of the project does that while it loads; throw an error instead",
    details,
  });
}

function workCutShort(code: number, details: Details): Error {
  return Object.assign(new Error(`process.exit(${code}) was called while q was at work`), {
    code: "Q4013",
    hint: "a handler returns or throws; SIGTERM stops a worker, and needs no listener of yours",
    details,
  });
}

function named(tasks: readonly string[]): Details {
  return tasks.length === 0 ? {} : { running: tasks.slice(0, 10).join(", ") };
}

/** The frames that called a function; `undefined` when it was not called. */
function stackAbove(called: (...args: never[]) => unknown): string | undefined {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, called);
  return holder.stack?.includes("\n    at ") === true ? holder.stack : undefined;
}
