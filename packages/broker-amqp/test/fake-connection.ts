import type { ConfirmChannel, Options } from "amqplib";
import { EventEmitter } from "node:events";
import { silentLogger, systemClock } from "@q/core/broker";
import type { Connection } from "../src/connection.ts";
import { resendHeader } from "../src/envelope.ts";
import type { Link } from "../src/link.ts";
import type { OutboxOptions } from "../src/outbox.ts";

/** A channel that confirms when the test says so. */
export class FakeChannel extends EventEmitter {
  readonly published: string[] = [];
  /** Those of them that say of themselves that they may be stored already. */
  readonly marked: string[] = [];
  /** Whether its buffer is full after the next message. */
  isFull = false;
  readonly #unconfirmed: { readonly text: string; readonly onAnswer: (error: unknown) => void }[] = [];

  publish(
    _exchange: string,
    _key: string,
    content: Buffer,
    { headers = {} }: Options.Publish,
    onAnswer: (error: unknown) => void,
  ): boolean {
    const text = content.toString();
    this.published.push(text);
    if (resendHeader in headers) this.marked.push(text);
    this.#unconfirmed.push({ text, onAnswer });
    return !this.isFull;
  }

  confirm(...texts: readonly string[]): void {
    for (const text of texts) this.#answer(text, null);
  }

  refuse(...texts: readonly string[]): void {
    for (const text of texts) this.#answer(text, new Error("message nacked"));
  }

  /** As amqplib ends it with its connection: before that is told. */
  end(): void {
    for (const { onAnswer } of this.#unconfirmed.splice(0)) onAnswer(new Error("channel closed"));
  }

  #answer(text: string, error: Error | null): void {
    const [found] = this.#unconfirmed.splice(
      this.#unconfirmed.findIndex((one) => one.text === text),
      1,
    );
    found?.onAnswer(error);
  }
}

/** What an outbox uses of a connection. The test makes the links. */
export class FakeConnection {
  readonly obstacle = undefined;
  readonly #listeners = new Set<(link: Link) => void>();
  #link: Link | undefined;

  onLink(listener: (link: Link) => void): () => void {
    this.#listeners.add(listener);
    if (this.#link !== undefined) listener(this.#link);
    return () => this.#listeners.delete(listener);
  }

  detach(): FakeConnection {
    const other = new FakeConnection();
    other.#link = this.#link;
    this.#link = undefined;
    return other;
  }

  /** A new link. */
  connect(): { readonly channel: FakeChannel; readonly lose: () => void } {
    const channel = new FakeChannel();
    const lost = new AbortController();
    const link = { lost: lost.signal, confirmChannel: async () => channel as unknown as ConfirmChannel };
    this.#link = { ...link, whenUnblocked: () => {}, blockedBecause: undefined } as unknown as Link; // the same
    for (const listener of this.#listeners) listener(this.#link);
    return { channel, lose: () => lost.abort(new Error("cut")) };
  }
}

export function outboxOptions(connection: FakeConnection): OutboxOptions {
  return {
    connection: connection as unknown as Connection, // all that is used of it
    clock: systemClock,
    logger: silentLogger,
    timeoutMs: 10_000,
    prepare: async () => new Map(),
  };
}
