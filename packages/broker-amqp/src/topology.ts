import type { Options } from "amqplib";
import { BrokerError, type Logger, type QueueOptions } from "@q/core/broker";
import { amqpError, clashingArgument, replyCode, replyCodeOf } from "./amqp-error.ts";
import { DelayRoutes } from "./delay-routes.ts";
import { isThere } from "./is-there.ts";
import type { Link } from "./link.ts";
import { checkQueueName, deadQueue } from "./names.ts";
import type { QueueType, Settings } from "./options.ts";

/** Highest priority of a queue that has them: 0 to 9, as in the contract. */
const highestPriority = 9;
/**
 * RabbitMQ counts give-backs too, so this is only the net under our own count of crashes: a queue of ours hands a message out at most so often before it
 * goes to the dead letters.
 */
const deliveryLimit = 100;
/** As good as none, also for a server from 4.0 on, where the default is 20: every look at the dead letters counts. */
const noDeliveryLimit = 2_000_000_000;

/** What this process knows of queues, and how they come to be. Existing ones are never changed, and none is ever deleted. */
export class Topology {
  /** How delayed messages get to them. */
  readonly delays: DelayRoutes;
  readonly #settings: Settings;
  readonly #declared = new Map<string, QueueOptions>();

  constructor(settings: Settings, logger: Logger) {
    this.#settings = settings;
    this.delays = new DelayRoutes(settings.address, logger);
  }

  /** Every queue that was declared here, in order of name. */
  get queues(): readonly string[] {
    return [...this.#declared.keys()].toSorted();
  }

  hasPriorities(queue: string): boolean {
    return this.#declared.get(queue)?.priorities === true;
  }

  /**
   * Makes sure that a queue exists, and its dead letters.
   * @throws BrokerError `Q1004` it exists in another shape; `Q1018` it does not, and this user may not create it
   */
  async declare(link: Link, queue: QueueOptions): Promise<void> {
    checkQueueName(queue.name);
    const isShared = this.#settings.queues[queue.name]?.shared === "celery";
    if (!isShared) await this.#declareDead(link, queue);
    const exists = await this.#exists(link, queue.name);
    if (isShared) {
      // With the arguments that Celery gave it, whatever they are.
      if (!exists) await this.#declareAsCelery(link, queue);
      await this.#declareDead(link, queue);
    } else if (exists) await this.#verify(link, queue);
    else await this.#create(link, queue);
    this.#declared.set(queue.name, queue);
  }

  /** Once more, after it was found missing, or may be. Delayed messages reach it as before. */
  async redeclare(link: Link, queue: string): Promise<void> {
    await this.declare(link, this.#declared.get(queue) ?? { name: queue, priorities: false });
    await this.delays.ensureAgain(link, queue);
  }

  /** What side queues of a queue are. */
  sideType(queue: string): QueueType {
    const own = this.#settings.queues[queue];
    return own?.shared === undefined ? (own?.type ?? this.#settings.queueType) : "classic";
  }

  /** A queue beside a queue, which is looked through from time to time. */
  async declareSide(link: Link, name: string, type: QueueType): Promise<void> {
    const limit = type === "quorum" ? { "x-delivery-limit": noDeliveryLimit } : {};
    const options = { durable: true, arguments: { "x-queue-type": type, ...limit } };
    try {
      await link.ask((channel) => channel.assertQueue(name, options));
    } catch (error) {
      const code = replyCodeOf(error);
      // Of another type it serves as well; and for who may not declare it, it is there, or he does not need it.
      if (code !== replyCode.clash && code !== replyCode.refused) throw amqpError(error, this.#settings.address);
    }
  }

  /**
   * The queue that holds the schedules, of which one process at a time has messages.
   * @throws BrokerError `Q1004` it exists, and gives them to several; `Q1018` it does not, and this user may not create it
   */
  async declareSchedules(link: Link, name: string, type: QueueType): Promise<void> {
    let argument: string | undefined;
    for (const shape of type === "quorum" ? ["quorum", "classic"] : ["classic", "quorum"]) {
      const limit = shape === "quorum" ? { "x-delivery-limit": noDeliveryLimit } : {};
      const options = { "x-queue-type": shape, "x-single-active-consumer": true, ...limit };
      try {
        return void (await link.ask((channel) => channel.assertQueue(name, { durable: true, arguments: options })));
      } catch (error) {
        // Who may not declare it may use it all the same.
        if (replyCodeOf(error) === replyCode.refused && (await this.#exists(link, name))) return;
        if (replyCodeOf(error) !== replyCode.clash) throw amqpError(error, this.#settings.address);
        // The last one says more than that the type is another.
        argument = clashingArgument(error) ?? "durable";
      }
    }
    throw new BrokerError("Q1004", `the queue "${name}" exists with another ${argument} than q gives it`, {
      hint: `delete it (rabbitmqctl delete_queue ${name}): with it goes what was known of schedules`,
      details: { queue: name, argument: argument ?? "" },
    });
  }

  async #exists(link: Link, queue: string): Promise<boolean> {
    try {
      return await isThere(link, (channel) => channel.checkQueue(queue));
    } catch (error) {
      throw amqpError(error, this.#settings.address);
    }
  }

  async #create(link: Link, queue: QueueOptions): Promise<void> {
    const [shape] = this.#shapesOf(queue);
    try {
      await link.ask((channel) => channel.assertQueue(queue.name, shape));
    } catch (error) {
      // Somebody else was faster.
      if (replyCodeOf(error) === replyCode.clash) return await this.#verify(link, queue);
      throw amqpError(error, this.#settings.address);
    }
  }

  /** Whether a queue that exists is one of ours, or plain. Only a declaration tells. */
  async #verify(link: Link, queue: QueueOptions): Promise<void> {
    let clash: string | undefined;
    for (const shape of this.#shapesOf(queue)) {
      try {
        return void (await link.ask((channel) => channel.assertQueue(queue.name, shape)));
      } catch (error) {
        // Who may not declare may use it all the same.
        if (replyCodeOf(error) === replyCode.refused) return;
        if (replyCodeOf(error) !== replyCode.clash) throw amqpError(error, this.#settings.address);
        // The last one says more than that the type is another.
        clash = clashingArgument(error) ?? clash;
      }
    }
    throw this.#clash(queue, clash ?? "durable");
  }

  /** How the queue may look. The first one is how a new one is made. */
  #shapesOf({ name, priorities }: QueueOptions): readonly [Options.AssertQueue, ...Options.AssertQueue[]] {
    const chosen = this.#settings.queues[name]?.type;
    if (priorities) {
      if (chosen === "quorum") {
        throw new BrokerError("Q1004", `queue "${name}" is a quorum queue with priorities, which RabbitMQ has not`, {
          hint: "leave out its type: a queue with priorities is a classic one",
        });
      }
      return [this.#classic(name, { "x-max-priority": highestPriority })];
    }
    const quorum = this.#quorum(name);
    const classic = this.#classic(name, {});
    if (chosen !== undefined) return [chosen === "quorum" ? quorum : classic];
    // Without a word about it, what is there is good enough.
    const plain = { durable: true };
    return this.#settings.queueType === "quorum" ? [quorum, classic, plain] : [classic, quorum, plain];
  }

  #quorum(name: string): Options.AssertQueue {
    return {
      durable: true,
      arguments: {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": deadQueue(name),
        // Without these two a dead letter that cannot be stored would be dropped.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-delivery-limit": deliveryLimit,
      },
    };
  }

  #classic(name: string, more: Readonly<Record<string, number>>): Options.AssertQueue {
    return {
      durable: true,
      arguments: {
        "x-queue-type": "classic",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": deadQueue(name),
        ...more,
      },
    };
  }

  /** As kombu declares a queue that was given nothing but a name. */
  async #declareAsCelery(link: Link, { name }: QueueOptions): Promise<void> {
    try {
      await link.ask((channel) => channel.assertQueue(name, { durable: true }));
      await link.ask((channel) => channel.assertExchange(name, "direct", { durable: true }));
      await link.ask((channel) => channel.bindQueue(name, name, name));
    } catch (error) {
      // An exchange of another type is Celery's as well, from 5.5 on.
      if (replyCodeOf(error) !== replyCode.clash) throw amqpError(error, this.#settings.address);
    }
  }

  async #declareDead(link: Link, { name, priorities }: QueueOptions): Promise<void> {
    await this.declareSide(link, deadQueue(name), priorities ? "classic" : this.sideType(name));
  }

  #clash({ name, priorities }: QueueOptions, argument: string): BrokerError {
    return new BrokerError(
      "Q1004",
      argument === "x-max-priority"
        ? `queue "${name}" exists ${priorities ? "without priorities, or with others," : "with priorities"}, and is declared ${priorities ? "with" : "without"} (x-max-priority)`
        : `queue "${name}" exists with another ${argument} than the one declared`,
      {
        hint: `when it is Celery's: queues: { "${name}": { shared: "celery" } }; otherwise declare it as it is, or take a new name, let workers empty the old one, and delete it yourself`,
        details: { queue: name, argument },
      },
    );
  }
}
