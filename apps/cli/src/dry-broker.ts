import type { Broker, OutgoingMessage } from "@q/core/broker";

/** Takes messages and stores nothing: what was sent to it is what would have been sent. */
export class DryBroker implements Broker {
  readonly name: string;
  readonly address: string;
  readonly connected = true;
  readonly published: OutgoingMessage[] = [];

  constructor(instead: { readonly name: string; readonly address: string }) {
    this.name = instead.name;
    this.address = instead.address;
  }

  async open(): Promise<void> {}

  async declare(): Promise<void> {}

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    this.published.push(...messages);
  }

  consume(): Promise<never> {
    return Promise.reject(new Error("a dry run consumes nothing"));
  }

  async close(): Promise<void> {}
}
