import type { BrokerMessage } from "../broker/broker-message.ts";
import type { Delivery } from "../broker/delivery.ts";
import { tickHeader, type ScheduleStore, type Tick } from "../broker/schedule-store.ts";
import { readCount, scheduleHeader } from "../celery-headers.ts";
import type { Logger } from "../logger.ts";

/** A message whose tick may have been sent twice. */
export interface DoubtfulTick extends Pick<Tick, "name" | "at"> {
  readonly message: BrokerMessage;
}

/** Finds the second message of a tick that was sent twice. Only for schedules that want it, on brokers that may send one twice: others cost nothing. */
export class DuplicateGuard {
  readonly #schedules: ScheduleStore | undefined;
  readonly #logger: Logger;

  constructor(schedules: ScheduleStore | undefined, logger: Logger) {
    this.#schedules = schedules;
    this.#logger = logger;
  }

  /** The tick to be asked for, `undefined` for all other messages. */
  tickOf({ message }: Delivery): DoubtfulTick | undefined {
    if (this.#schedules?.counts === undefined || "malformed" in message) return undefined;
    const at = readCount(message.headers[tickHeader]);
    const name = message.headers[scheduleHeader];
    return at === null || typeof name !== "string" ? undefined : { name, at, message };
  }

  /** In doubt it is none: what was sent is to run. Never rejects. */
  async isDuplicate({ name, at, message }: DoubtfulTick): Promise<boolean> {
    try {
      return (await this.#schedules?.counts?.({ name, at }, message)) === false;
    } catch (error) {
      this.#logger.warn({ err: error, schedule: name }, "whether a tick was sent twice cannot be asked; it runs");
      return false;
    }
  }
}
