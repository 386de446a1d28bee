import type { Broker, OncePublisher, OutgoingMessage } from "@q/core/broker";

/** Takes messages and stores nothing: what was sent to it is what would have been sent. Every key is a new one to it. */
export class DryBroker implements Broker {
  readonly name: string;
  readonly address: string;
  readonly connected = true;
  readonly published: OutgoingMessage[] = [];
  readonly once?: OncePublisher;

  /** @param instead the broker that would be used; `undefined` when none is known */
  constructor(instead: Broker | undefined) {
    this.name = instead?.name ?? "none";
    this.address = instead?.address ?? "no broker";
    // A key that the real broker would refuse is refused here too.
    if (instead === undefined || instead.once !== undefined) this.once = this;
  }

  async open(): Promise<void> {}

  async declare(): Promise<void> {}

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    this.published.push(...messages);
  }

  async publishOnce(message: OutgoingMessage): Promise<"published"> {
    this.published.push(message);
    return "published";
  }

  consume(): Promise<never> {
    return Promise.reject(new Error("a dry run consumes nothing"));
  }

  async close(): Promise<void> {}
}
