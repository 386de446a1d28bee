import { prioritySteps } from "./keys.ts";

/** Our 0 to 9, higher first, as Celery's 0 to 9 on Redis, lower first; and back. */
export function inverted(priority: number): number {
  return 9 - Math.min(9, Math.max(0, Math.trunc(priority)));
}

/** Index of the list in which Celery puts, and looks for, a message of this priority of its own. What is no number counts as 0. */
export function listOf(celeryPriority: unknown): number {
  const priority = typeof celeryPriority === "number" ? celeryPriority : 0;
  const index = prioritySteps.findLastIndex((step) => step <= priority);
  return Math.max(0, index);
}
