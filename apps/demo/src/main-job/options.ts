import { parseArgs } from "node:util";

/** What the main job was asked for. */
export interface MainJobOptions {
  /** Requests to send. */
  readonly events: number;
  /** Whether service and workers go on after the check. */
  readonly keep: boolean;
}

/** Requests without `--events`: as many as leave time for all else within two seconds on two cores. */
export const defaultEvents: number = 500;
/** Below this some kind of request would not occur. */
const fewestEvents = 200;
const mostEvents = 1_000_000;

export const usage: string = `npm start -- [--events <number>] [--keep]

  --events <number>   requests to send, ${fewestEvents} to ${mostEvents}; ${defaultEvents} if not given
  --keep              leave the service and the workers running afterwards
`;

/** The command line was wrong; its message says how. */
export class UsageError extends Error {}

/** @returns `"help"` when asked for it. @throws UsageError */
export function readOptions(argv: readonly string[]): MainJobOptions | "help" {
  const values = parse(argv);
  if (values.help === true) return "help";
  const events = values.events === undefined ? defaultEvents : Number(values.events);
  if (!Number.isInteger(events) || events < fewestEvents || events > mostEvents) {
    throw new UsageError(
      `--events is ${JSON.stringify(values.events)}: expected a whole number from ${fewestEvents} to ${mostEvents}`,
    );
  }
  return { events, keep: values.keep === true };
}

function parse(argv: readonly string[]): { events?: string; keep?: boolean; help?: boolean } {
  try {
    const options = {
      events: { type: "string" },
      keep: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    } as const;
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
