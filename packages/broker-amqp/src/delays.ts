import { stepName } from "./names.ts";

/** Where a message is sent, so that it ends up in its queue in time. */
export interface Route {
  readonly exchange: string;
  readonly routingKey: string;
}

/**
 * The delayed delivery of Celery 5.5: 28 queues, each of which holds a message for twice as long as the one before it, between 28 exchanges that send
 * it there or past it, by one binary digit of the delay each.
 * https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/rabbitmq.html#native-delayed-delivery
 */
export const ladder = {
  levels: 28,
  /** Exchange and queue of a level. */
  name: (level: number): string => `celery_delayed_${level}`,
  /** Where a message is when its time has come. */
  end: "celery_delayed_delivery",
} as const;

/** Delays that have a queue of their own, below the ladder's second. Milliseconds, ascending. */
export const steps: readonly number[] = [125, 250, 500];

/** Milliseconds; eight and a half years. */
export const longestDelayMs: number = (2 ** ladder.levels - 1) * 1000;

/** The way to a queue that takes at least so long: the next step of it, or the next whole second. */
export function routeFor(queue: string, delayMs: number): Route {
  if (delayMs <= 0) return { exchange: "", routingKey: queue };
  const step = steps.find((ms) => delayMs <= ms);
  if (step !== undefined) return { exchange: stepName(step), routingKey: queue };
  const seconds = Math.ceil(delayMs / 1000);
  const digits = seconds.toString(2).padStart(ladder.levels, "0");
  return { exchange: ladder.name(ladder.levels - 1), routingKey: `${digits.split("").join(".")}.${queue}` };
}

/** What an exchange of the ladder looks at: the digit of its level, whatever the digits before it and all that follows. */
export function digitPattern(level: number, digit: 0 | 1): string {
  return `${"*.".repeat(ladder.levels - 1 - level)}${digit}.#`;
}

/** Binds a queue to the ladder's end. Celery's `#.<queue>` would also bring the messages of a queue whose name ends like this one's. */
export function endPattern(queue: string): string {
  return `${"*.".repeat(ladder.levels)}${queue}`;
}
