import { PollingConsumer, type Claim, type Consumer, type ConsumeOptions, type Delivery } from "@q/core/broker";
import { Claimer } from "./claim.ts";
import type { Store } from "./store.ts";

/** Longest time between two looks at the queues, which also shows the watchdog that the broker answers. Milliseconds. */
const safetyPollMs = 5000;

export interface SqliteConsumerOptions extends ConsumeOptions {
  readonly queues: readonly string[];
  readonly onDelivery: (delivery: Delivery) => void;
  readonly onStop: () => void;
}

/** Consumes queues until it is stopped. */
export class SqliteConsumer implements Consumer {
  readonly #polling: PollingConsumer;
  readonly #end: () => Promise<void>;
  #stopping: Promise<void> | undefined;

  private constructor(polling: PollingConsumer, end: () => Promise<void>) {
    this.#polling = polling;
    this.#end = end;
  }

  static async start(store: Store, options: SqliteConsumerOptions): Promise<SqliteConsumer> {
    const { commits, queues, session, bell, clock, logger } = store;
    const { prefetch, onDelivery, onStop } = options;
    const turns = await commits.write(() =>
      options.queues.map((queue) => ({ queue, queueId: queues.findOrMake(queue).id })),
    );
    const unlist = await session.consume(turns.map(({ queueId }) => queueId));
    const claimer = new Claimer(store, turns);
    const claim = (max: number): Promise<Claim> => claimer.claim(max);
    const polling = new PollingConsumer({ prefetch, claim, safetyPollMs, clock, logger }, onDelivery);
    const stopListening = bell.listen(() => polling.wake());
    return new SqliteConsumer(polling, async () => {
      stopListening();
      await polling.stop();
      onStop();
      await unlist().catch((error: unknown) => {
        logger.warn({ err: error }, "could not strike the consumer off the list; it goes when this process does");
      });
    });
  }

  get heardAt(): number {
    return this.#polling.heardAt;
  }

  resize(prefetch: number): void {
    this.#polling.resize(prefetch);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }
}
