import { QError } from "../q-error.ts";

/** A broker could not do what it was asked. Codes `Q1xxx`. */
export class BrokerError extends QError {}

/** The broker said no, or was never asked: nothing was stored. Code `Q1101` unless the adapter knows better. Sending again is safe. */
export class PublishRejected extends BrokerError {}

/** No answer in time: the message may be stored or not. Code `Q1102`. Sending again may store it twice, under the same id. */
export class PublishUnknown extends BrokerError {}

/** Some messages of one `publish` failed and the others were stored. Code `Q1103`. */
export class PublishFailed extends BrokerError {
  /** By position in the call. A position that is not in it was stored. */
  readonly failures: ReadonlyMap<number, PublishRejected | PublishUnknown>;

  constructor(failures: ReadonlyMap<number, PublishRejected | PublishUnknown>) {
    const first = failures.values().next().value;
    super("Q1103", `${failures.size} messages were not confirmed; the first: ${first?.message ?? "unknown"}`, {
      cause: first,
    });
    this.failures = failures;
  }
}

/**
 * For adapters: ends a `publish` of `count` messages by what became of them. One failure stands for all when every message failed with its code:
 * one that is refused, and one that may be stored, are not the same.
 * @param failures by position in the call; with none this returns
 * @throws PublishRejected, PublishUnknown, PublishFailed
 */
export function throwFailures(failures: PublishFailed["failures"], count: number): void {
  const [first, ...others] = failures.values();
  if (first === undefined) return;
  const isOne = failures.size === count && others.every(({ code }) => code === first.code);
  throw isOne ? first : new PublishFailed(failures);
}
