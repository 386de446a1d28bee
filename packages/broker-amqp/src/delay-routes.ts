import type { Logger, PublishRejected } from "@q/core/broker";
import {
  amqpError,
  clashingArgument,
  ConnectionLost,
  isQueueMissing,
  rejection,
  replyCode,
  replyCodeOf,
} from "./amqp-error.ts";
import { digitPattern, endPattern, ladder, steps } from "./delays.ts";
import { isThere } from "./is-there.ts";
import type { Link } from "./link.ts";
import { delaysSign, stepName } from "./names.ts";
import { noQueue, type Consignment } from "./parcel.ts";

/** What this process knows of the exchanges and queues in which delayed messages wait, and how they come to be. */
export class DelayRoutes {
  readonly #address: string;
  readonly #logger: Logger;
  /** Queues that are bound to the ladder's end, or would be if this user might. */
  readonly #bound = new Set<string>();
  /** A foreign one this user may not declare: whoever sends something into it looks first whether it is there. */
  #ladder: "unknown" | "whole" | "foreign" = "unknown";
  /** Exchanges in front of a foreign one that were found. */
  readonly #entrances = new Set<string>();

  constructor(address: string, logger: Logger) {
    this.#address = address;
    this.#logger = logger;
  }

  /** Makes sure that delayed messages reach the queue, as far as this user may. Costs nothing when this process has done so before. */
  async ensure(link: Link, queue: string): Promise<void> {
    await this.#bind(link, queue).catch((error: unknown) => {
      throw amqpError(error, this.#address);
    });
  }

  /** As `ensure`, after the queue was made anew: its binding went with it, and whatever took it may have taken the ladder too. */
  async ensureAgain(link: Link, queue: string): Promise<void> {
    this.#bound.delete(queue);
    this.#ladder = "unknown";
    await this.ensure(link, queue);
  }

  /** Whether this process knows that a delayed message gets into the ladder, and from there to its queue. */
  reaches({ queue, exchange }: Consignment): boolean {
    return this.#bound.has(queue) && (this.#ladder !== "foreign" || this.#entrances.has(exchange));
  }

  /**
   * As `ensure`, for a message that is about to be sent.
   * @throws BrokerError `Q1018` what it goes through is not there, and this user may not create it; `Q1105` its queue is not
   */
  async ensureRoute(link: Link, consignment: Consignment): Promise<void> {
    const { queue, exchange } = consignment;
    try {
      await this.#bind(link, queue);
      if (this.reaches(consignment)) return;
      if (await hasExchange(link, exchange)) return void this.#entrances.add(exchange);
      // By now this user may.
      await this.#declareLadder(link);
      await this.#bind(link, queue);
    } catch (error) {
      if (isQueueMissing(error)) throw noQueue(queue);
      throw amqpError(error, this.#address);
    }
  }

  /**
   * As `ensureRoute` for each of them, when a part of it may be missing.
   * @returns what keeps some of them from their queues
   * @throws ConnectionLost
   */
  async repair(link: Link, consignments: readonly Consignment[]): Promise<ReadonlyMap<Consignment, PublishRejected>> {
    this.forget();
    await this.#declareLadder(link).catch((error: unknown) => {
      if (replyCodeOf(error) === undefined) throw amqpError(error, this.#address);
      // It may be there all the same.
      this.#ladder = "foreign";
    });
    const obstacles = new Map<string, PublishRejected>();
    const hindered = new Map<Consignment, PublishRejected>();
    for (const consignment of consignments) {
      const route = `${consignment.exchange} ${consignment.queue}`;
      if (!obstacles.has(route) && !this.reaches(consignment)) {
        await this.ensureRoute(link, consignment).catch((error: unknown) => {
          if (error instanceof ConnectionLost) throw error;
          obstacles.set(route, rejection(error));
        });
      }
      const obstacle = obstacles.get(route);
      if (obstacle !== undefined) hindered.set(consignment, obstacle);
    }
    return hindered;
  }

  /** Forgets what was found, after the server was away: somebody may have emptied it meanwhile. */
  forget(): void {
    this.#ladder = "unknown";
    this.#entrances.clear();
    this.#bound.clear();
  }

  async #bind(link: Link, queue: string): Promise<void> {
    if (this.#bound.has(queue)) return;
    try {
      const isWhole = this.#ladder === "whole" || (await hasExchange(link, delaysSign));
      if (!isWhole) await this.#declareLadder(link);
      else if (this.#ladder === "unknown") this.#ladder = "whole";
      await link.ask((channel) => channel.bindQueue(queue, ladder.end, endPattern(queue)));
    } catch (error) {
      if (replyCodeOf(error) !== replyCode.refused) throw error;
      this.#ladder = "foreign";
      // A producer of few rights: whoever consumes the queue has bound it.
      this.#logger.debug({ queue }, "this user may not declare delayed delivery; the workers of the queue do");
    }
    this.#bound.add(queue);
  }

  /** From its end to its beginning, so that nothing gets into it before it is whole. */
  async #declareLadder(link: Link): Promise<void> {
    const { name, levels, end } = ladder;
    for (const delayMs of steps) await this.#declareStep(link, delayMs);
    await link.ask((channel) => channel.assertExchange(end, "topic", { durable: true }));
    for (let level = 0; level < levels; level += 1) {
      const next = level === 0 ? end : name(level - 1);
      await link.ask((channel) => channel.assertExchange(name(level), "topic", { durable: true }));
      await this.#declareLevel(link, level, next);
      await link.ask((channel) => channel.bindQueue(name(level), name(level), digitPattern(level, 1)));
      await link.ask((channel) => channel.bindExchange(next, name(level), digitPattern(level, 0)));
    }
    await link.ask((channel) => channel.assertExchange(delaysSign, "fanout", { durable: true }));
    this.#ladder = "whole";
    // No queue is bound to a new end.
    this.#bound.clear();
  }

  async #declareStep(link: Link, delayMs: number): Promise<void> {
    const step = stepName(delayMs);
    await link.ask((channel) => channel.assertQueue(step, { durable: true, arguments: handsOn(delayMs, "") }));
    await link.ask((channel) => channel.assertExchange(step, "fanout", { durable: true }));
    await link.ask((channel) => channel.bindQueue(step, step, ""));
  }

  async #declareLevel(link: Link, level: number, next: string): Promise<void> {
    const options = { durable: true, arguments: handsOn(2 ** level * 1000, next) };
    try {
      await link.ask((channel) => channel.assertQueue(ladder.name(level), options));
    } catch (error) {
      // Celery can be told to make classic ones.
      if (clashingArgument(error) === undefined) throw error;
      this.#logger.warn(
        { queue: ladder.name(level) },
        "a queue of delayed messages is not as Celery declares it by default: if it is a classic one, a delayed message may be lost when the server dies",
      );
    }
  }
}

function hasExchange(link: Link, name: string): Promise<boolean> {
  return isThere(link, (channel) => channel.checkExchange(name));
}

/** Arguments of a queue that hands on what has waited, and forgets it when it has arrived. A classic queue forgets it at once. */
function handsOn(afterMs: number, exchange: string): Readonly<Record<string, string | number>> {
  return {
    "x-queue-type": "quorum",
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
    "x-message-ttl": afterMs,
    "x-dead-letter-exchange": exchange,
  };
}
