import { didYouMean, formatLocation, type App } from "@q/core";
import { NotFoundError, UsageError } from "./cli-errors.ts";
import { flagList } from "./flag-values.ts";

/** A queue in `-Q`, with its share of the turns. */
export interface WeightedQueue {
  readonly name: string;
  /** Turns per round, 1 to 100. */
  readonly weight: number;
}

/**
 * Reads `email,images:3`.
 * @throws UsageError `Q2103` for a weight out of range
 */
export function parseWeighted(values: readonly string[]): WeightedQueue[] {
  return flagList(values).map((item) => {
    const match = /^(.+):(\d+)$/.exec(item);
    const [, name = item, weight = "1"] = match ?? [];
    const turns = Number(weight);
    if (turns >= 1 && turns <= 100) return { name, weight: turns };
    throw new UsageError("Q2103", `queue "${name}" has the weight ${weight}: expected 1 to 100`);
  });
}

export interface WorkerQueues {
  readonly only: readonly string[];
  readonly except: readonly string[];
  readonly ignoreUnknown: boolean;
}

/** What a worker serves, a name once per turn, and the names that were asked for and do not exist. */
export interface ChosenQueues {
  readonly turns: readonly string[];
  readonly unknown: readonly string[];
}

/**
 * The queues of one worker.
 * @throws NotFoundError `Q2003` for a name that the app does not declare, unless unknown ones are ignored; UsageError `Q2103` when none is left
 */
export function chooseQueues(app: App, asked: WorkerQueues): ChosenQueues {
  const declared = app.queues.map((queue) => queue.name);
  const weighted = asked.only.length === 0 ? declared.map((name) => ({ name, weight: 1 })) : parseWeighted(asked.only);
  const except = flagList(asked.except);
  // A declared name may itself end in a colon and a number.
  const exact = weighted.map((one) =>
    declared.includes(`${one.name}:${one.weight}`) ? { name: `${one.name}:${one.weight}`, weight: 1 } : one,
  );
  const unknown = [...exact.map(({ name }) => name), ...except].filter((name) => !declared.includes(name));
  const first = unknown[0];
  if (first !== undefined && !asked.ignoreUnknown)
    throw unknownQueue(first, app, `q worker -Q ${first} --ignore-unknown-queues`);
  const turns = exact
    .filter(({ name }) => declared.includes(name) && !except.includes(name))
    .flatMap(({ name, weight }) => Array.from({ length: weight }, () => name));
  if (turns.length > 0) return { turns, unknown };
  throw new UsageError("Q2103", "no queue is left to serve", {
    hint: "check -Q and -X",
    details: { known: knownQueues(app) },
  });
}

/**
 * The error for a queue name that does not exist.
 * @param allowedBy a command that works all the same
 */
export function unknownQueue(name: string, app: App, allowedBy?: string): NotFoundError {
  return new NotFoundError("Q2003", `no queue named "${name}"`, {
    hint: didYouMean(
      name,
      app.queues.map((queue) => queue.name),
    ),
    details: { known: knownQueues(app), ...(allowedBy === undefined ? {} : { "allow it": allowedBy }) },
  });
}

function knownQueues(app: App): string {
  const names = app.queues.map((queue) => queue.name).join(", ");
  return app.definedAt === undefined ? names : `${names}   (${formatLocation(app.definedAt)})`;
}
