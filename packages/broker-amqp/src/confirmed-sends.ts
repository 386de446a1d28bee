import type { ConfirmChannel } from "amqplib";
import { atMost, type Clock } from "@q/core/broker";
import { ConnectionLost, isRefusal } from "./amqp-error.ts";
import type { Link } from "./link.ts";
import { misfitOf, Parcel, type Consignment, type Returned } from "./parcel.ts";

export interface ConfirmedSendsOptions {
  readonly link: Link;
  readonly channel: ConfirmChannel;
  readonly clock: Clock;
  /** Longest wait for a confirm. Milliseconds. */
  readonly timeoutMs: number;
  /** Aborts when the channel is not to be used any more. */
  readonly ended: AbortSignal;
}

/**
 * Sends on one channel, one after the other, and never again on another: who sends it is only to do so while it has that channel. The outbox is for all that may be
 * sent again.
 */
export class ConfirmedSends {
  readonly #options: ConfirmedSendsOptions;
  #underWay: Parcel | undefined;

  constructor(options: ConfirmedSendsOptions) {
    this.#options = options;
  }

  /** Whether what came back is what is being sent. */
  markReturned(returned: Returned): boolean {
    if (this.#underWay?.mayBeReturned(returned) !== true) return false;
    this.#underWay.returned();
    return true;
  }

  /** Resolves when it is confirmed. One at a time. @throws PublishRejected, PublishUnknown */
  async send(consignment: Consignment): Promise<void> {
    const { link, clock, timeoutMs, ended } = this.#options;
    let failure: Error | undefined;
    let onDone = (): void => undefined;
    const done = new Promise<void>((resolve) => (onDone = resolve));
    const parcel = new Parcel(consignment, (error) => {
      failure = error;
      onDone();
    });
    const giveUp = (): void => parcel.giveUp({ blockedBecause: link.blockedBecause, obstacle: undefined });
    ended.addEventListener("abort", giveUp, { once: true });
    this.#underWay = parcel;
    if (ended.aborted || link.blockedBecause !== undefined) giveUp();
    else this.#write(parcel, giveUp);
    // A server that takes in nothing now may still take this in: given up, it would be sent twice.
    while (!(await atMost(clock, timeoutMs, done))) {
      if (link.blockedBecause === undefined)
        link.fail(new ConnectionLost(`RabbitMQ confirmed nothing within ${timeoutMs} ms`, { sent: true }));
    }
    ended.removeEventListener("abort", giveUp);
    this.#underWay = undefined;
    if (failure !== undefined) throw failure;
  }

  #write(parcel: Parcel, giveUp: () => void): void {
    const { link, channel, ended } = this.#options;
    try {
      parcel.sendOn(channel, (error) => {
        // After its end nothing is known.
        if (ended.aborted) return giveUp();
        if (error === null) return parcel.confirmed();
        if (isRefusal(error)) parcel.refused();
        giveUp();
      });
    } catch (error) {
      const misfit = misfitOf(error);
      if (misfit !== undefined) return parcel.reject(misfit);
      // The channel has just ended.
      link.fail(error);
      giveUp();
    }
  }
}
