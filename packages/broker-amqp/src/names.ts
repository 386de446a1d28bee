import { PublishRejected } from "@q/core/broker";

// What q has on a server beside the queues themselves: all of it begins with "q.", so that a permission can name it.

/** Dead letters of a queue. */
export const deadQueue = (queue: string): string => `q.dead.${queue}`;
/** What is known of single messages of a queue that were given back, or that a worker may have died of. */
export const marksQueue = (queue: string): string => `q.marks.${queue}`;
/** Exists while the queue is paused. */
export const pauseQueue = (queue: string): string => `q.paused.${queue}`;
/** Exists while somebody holds the lock. */
export const lockQueue = (lock: string): string => `q.lock.${lock}`;
/** Holds the number of a lease's last holder. */
export const fenceQueue = (lease: string): string => `q.fence.${lease}`;
/** Holds what is known of schedules, and what is asked of the process that keeps them. */
export const schedulesQueue = "q.schedules";
/** What was found among the schedules and cannot be read. */
export const unreadableSchedules = "q.schedules.unreadable";
/** Exchange, and queue, of messages that wait for less than a second. */
export const stepName = (delayMs: number): string => `q.delay.${delayMs}`;
/** Exchange that exists once everything for delayed messages does. */
export const delaysSign = "q.delay";
/** Broadcasts. */
export const eventsExchange = "q.events";

const longestNameBytes = 128;
const taken = /^(q|amq)\.|^celery_delayed_/;

/** @throws PublishRejected `Q1101` for a name that a queue of tasks cannot have here */
export function checkQueueName(queue: string): void {
  if (queue !== "" && Buffer.byteLength(queue) <= longestNameBytes && !taken.test(queue) && !/[*#\0]/.test(queue))
    return;
  throw new PublishRejected(
    "Q1101",
    `expected a queue name of 1 to ${longestNameBytes} bytes that does not begin with q., amq. or celery_delayed_, got ${JSON.stringify(queue.slice(0, 200))}`,
  );
}
