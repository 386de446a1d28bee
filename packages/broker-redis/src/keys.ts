/** Celery's priority steps on Redis: one list each, the most urgent first. Its own 0 is urgent, 9 is not. */
export const prioritySteps: readonly number[] = [0, 3, 6, 9];

/** Between a queue's name and the step in the name of a list, as kombu writes it. */
const stepSeparator = "\u0006\u0016";

/**
 * The keys of one queue. The list has the queue's plain name, which is where Celery looks; all others carry that name as their hash tag, so
 * that the whole queue lives in one slot of a cluster.
 */
export interface QueueKeys {
  readonly queue: string;
  /** Ready messages by step, most urgent first; the first one is the plain list. Pushed at the left, taken from the right. */
  readonly lists: readonly string[];
  /** Waiting for their time: sequence, list and message, by the time. */
  readonly delayed: string;
  /** Who consumes: its id, by the end of its lease. */
  readonly lease: string;
  /** Consumers whose lease ran out, by when to forget them: something may still arrive in their name. */
  readonly grave: string;
  /** Last beat, grace, pause, counters. */
  readonly meta: string;
  /** How many consumers died with a message, by the message's SHA-1. Only of those that were in the hands of a dead one. */
  readonly crashes: string;
  /** Dead letters by their entry. */
  readonly dead: string;
  /** Their entries, by time of death. */
  readonly deadIndex: string;
  /** The last tick of each schedule that sends here, by its name. */
  readonly ticks: string;
  /** Where keys of the consumer `id` begin: what it holds, what landed for it, which suspects it has started. */
  readonly consumers: string;
  /** What a consumer holds: messages by tag. */
  held(consumerId: string): string;
  /** Where a blocking wait puts the message that ended it, by list. */
  landing(consumerId: string, list: number): string;
  /** Tags of suspects that were started. */
  started(consumerId: string): string;
  /** Where it tries, before it holds anything, whether it may put down what it takes. Empty. */
  trial(consumerId: string): string;
  /** How far a producer has come. One call of `publishOnce` counts as a producer. */
  producer(producerId: string): string;
  /** Marks a key of `publishOnce` as used. */
  once(keyHash: string): string;
}

/**
 * @param prefix put in front of the queue's name, as Celery's `global_keyprefix`
 * @param inCluster the lists of the priority steps then have names of their own, which Celery, that knows no clusters, does not look for
 */
export function queueKeys(
  queue: string,
  prefix: string,
  { inCluster = false }: { readonly inCluster?: boolean } = {},
): QueueKeys {
  const list = prefix + queue;
  const own = `q:{${list}}:`;
  const stepped = inCluster ? `{${list}}` : list;
  return {
    queue,
    lists: prioritySteps.map((step) => (step === 0 ? list : `${stepped}${stepSeparator}${step}`)),
    delayed: `${own}delayed`,
    lease: `${own}lease`,
    grave: `${own}grave`,
    meta: `${own}meta`,
    crashes: `${own}crashes`,
    dead: `${own}dead`,
    deadIndex: `${own}dead-index`,
    ticks: `${own}ticks`,
    consumers: own,
    held: (id) => `${own}held:${id}`,
    landing: (id, index) => `${own}landing:${id}:${index}`,
    started: (id) => `${own}started:${id}`,
    trial: (id) => `${own}trial:${id}`,
    producer: (id) => `${own}producer:${id}`,
    once: (hash) => `${own}once:${hash}`,
  };
}

/** Names of all queues that were declared. */
export function registryKey(prefix: string): string {
  return `${prefix}q:queues`;
}

/** What is known of schedules beside their ticks: `entry:<name>` and `paused:<name>`. */
export function schedulesKey(prefix: string): string {
  return `${prefix}q:schedules`;
}

/** Where kombu's producers look up which queue an exchange leads to, and what they find there for a plain queue. */
export function kombuBinding(queue: string, prefix: string): { readonly key: string; readonly member: string } {
  return {
    key: `${prefix}_kombu.binding.${queue}`,
    member: `${queue}${stepSeparator}${stepSeparator}${queue}`,
  };
}

/** A named lock: holder, end and fence. */
export function leaseKey(name: string, prefix: string): string {
  return `q:lease:{${prefix}${name}}`;
}

/** Where a broadcast goes. With the number of the database, because Redis's channels are shared by all of them. */
export function controlChannel(
  channel: string,
  { prefix, db }: { readonly prefix: string; readonly db: number },
): string {
  return `${prefix}q.control.${db}.${channel}`;
}
