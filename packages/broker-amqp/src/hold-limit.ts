import type { HoldLimit, Logger } from "@q/core/broker";

/** https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout */
export const raiseHoldLimit =
  'in rabbitmq.conf "consumer_timeout = 7200000" (milliseconds), and here the option consumerTimeout: "2h"; from 3.12 on a policy can set consumer-timeout for single queues';

/** Whether the server has ended a connection because a message was held for too long. */
export function isHeldTooLong(error: unknown): boolean {
  return error instanceof Error && /acknowledg\w+ on channel \d+ timed out/.test(error.message);
}

/** Share of the limit for which a message may wait to be handed out. A task may take four fifths of it. */
const shareToWait = 0.1;

/** A message that a consumer holds. */
export interface HeldSince {
  /** When it came, which is when the server begins to count. Monotonic milliseconds. */
  readonly heldSince: number;
  readonly describe: () => string;
}

/** Warns of messages that are held for almost as long as the server allows, each once, before it takes everything back. */
export class HoldWatch {
  readonly #limit: HoldLimit;
  readonly #logger: Logger;
  readonly #warned = new WeakSet<HeldSince>();

  constructor(limit: HoldLimit, logger: Logger) {
    this.#limit = limit;
    this.#logger = logger;
  }

  /** Whether it has waited for so long that a task which takes its time might not end within the limit. */
  waitsTooLong({ heldSince }: HeldSince, now: number): boolean {
    return now - heldSince >= this.#limit.ms * shareToWait;
  }

  look(held: Iterable<HeldSince>, now: number): void {
    for (const one of held) {
      if (now - one.heldSince < this.#limit.ms * 0.8 || this.#warned.has(one)) continue;
      this.#warned.add(one);
      this.#logger.warn(
        { message: one.describe(), heldMs: Math.round(now - one.heldSince), consumerTimeoutMs: this.#limit.ms },
        `a message is held for almost as long as RabbitMQ's consumer_timeout, after which it goes to another worker: ${this.#limit.hint}`,
      );
    }
  }
}
