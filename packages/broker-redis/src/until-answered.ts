import { BrokerError, PublishRejected, PublishUnknown } from "@q/core/broker";
import type { ConnectionLost } from "./redis-error.ts";
import type { Store } from "./store.ts";

/**
 * A step that stores something, again until there is an answer or the time is over. It must recognise its own repetition.
 * @param since when its time began, monotonic milliseconds. Default: now
 * @throws PublishUnknown one of the attempts may have been carried out; ConnectionLost none was; others as the step throws them
 */
export async function untilAnswered<T>({ publishing }: Store, attempt: () => Promise<T>, since?: number): Promise<T> {
  let mayBeStored: ConnectionLost | undefined;
  try {
    return await publishing.insist(
      attempt,
      (lost) => {
        if (lost.sent) mayBeStored = lost;
      },
      since,
    );
  } catch (error) {
    // An earlier attempt may have been carried out, whatever the last one was told.
    throw mayBeStored === undefined ? error : unknown(mayBeStored);
  }
}

function unknown(cause: ConnectionLost): PublishUnknown {
  return new PublishUnknown("Q1102", `${cause.message}: the message may be stored`, { hint: cause.hint, cause });
}

/** The same error as an answer to `publish`. */
export function publishError(error: unknown): PublishRejected | PublishUnknown {
  if (error instanceof PublishRejected || error instanceof PublishUnknown) return error;
  const { code, message, hint } = error instanceof BrokerError ? error : new BrokerError("Q1101", String(error));
  return new PublishRejected(code, message, { hint, cause: error });
}
