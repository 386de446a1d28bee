import type { Clock } from "@q/core/broker";

/** What the broker's clock said, and what the clocks here said then. */
interface Reading {
  readonly brokerMs: number;
  readonly monotonicMs: number;
  readonly wallMs: number;
}

const goodForMs = 60_000;
const jumpMs = 1000;

/**
 * The broker's time, between two looks at its clock counted on the monotonic clock: setting the machine's clock changes nothing. That clock
 * stands still while a machine is suspended, which shows in its distance from the wall clock.
 */
export class BrokerTime {
  readonly #clock: Clock;
  readonly #ask: () => Promise<number | null>;
  #reading: Reading | undefined;
  #tells = false;

  /** @param ask the broker's clock, `null` when it tells none: the machine's counts then */
  constructor(clock: Clock, ask: () => Promise<number | null>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** Whether it is time for another look: a minute has passed, or the clock here was set, or the machine was asleep. */
  get isOld(): boolean {
    if (this.#reading === undefined) return true;
    const { monotonicMs, wallMs } = this.#reading;
    const passedMs = this.#clock.monotonic() - monotonicMs;
    return passedMs >= goodForMs || Math.abs(this.#clock.now() - wallMs - passedMs) > jumpMs;
  }

  /** Looks at the broker's clock. @throws what asking throws; the last look then still counts */
  async look(): Promise<void> {
    const answer = await this.#ask();
    const [monotonicMs, wallMs] = [this.#clock.monotonic(), this.#clock.now()];
    // As if the answer had taken no time: behind by as long as it took, and so never ahead.
    this.#reading = { brokerMs: answer ?? wallMs, monotonicMs, wallMs };
    this.#tells = answer !== null;
  }

  /** Epoch milliseconds. */
  now(): number {
    if (this.#reading === undefined || !this.#tells) return this.#clock.now();
    return Math.floor(this.#reading.brokerMs + this.#clock.monotonic() - this.#reading.monotonicMs);
  }
}
