import { BrokerError, PublishRejected, type QErrorOptions } from "@q/core/broker";

/**
 * The answer did not come: the connection ended, or nobody was there. `sent` tells whether what was asked may have been carried out.
 * Code `Q1001`.
 */
export class ConnectionLost extends BrokerError {
  readonly sent: boolean;

  constructor(message: string, options: QErrorOptions & { readonly sent: boolean }) {
    const { sent, ...rest } = options;
    super("Q1001", message, rest);
    this.sent = sent;
  }
}

/** The server is there, and yet no answer came on one of the channels: what was asked there is stuck in the queue that it is about. */
export class Unanswered extends ConnectionLost {}

/** Codes of AMQP's `channel.close`. https://www.rabbitmq.com/docs/channels#error-handling */
export const replyCode = { refused: 403, missing: 404, locked: 405, clash: 406 } as const;

/** The code with which the server closed a channel, or `undefined` when it did not. */
export function replyCodeOf(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "number" ? code : undefined;
}

/** What to do about `Q1018`. */
export const rightsHint = "PERMISSIONS.md of @q/broker-amqp lists what producers, cron processes and workers need";

/** What went wrong with a channel or a connection, as one of ours. No cause is kept: it may hold a message. */
export function amqpError(error: unknown, address: string): BrokerError {
  if (error instanceof BrokerError) return error;
  const text = serverText(error);
  if (replyCodeOf(error) === replyCode.refused) {
    return new BrokerError("Q1018", `the RabbitMQ user may not do this: ${text} (${address})`, { hint: rightsHint });
  }
  // amqplib's words for a channel that has ended under a call.
  if (/^(Channel (ended|closed)|channel closed|Connection (closed|closing)|Unexpected close)/i.test(messageOf(error)))
    return new ConnectionLost(`the connection to RabbitMQ at ${address} ended`, { sent: true });
  return new BrokerError("Q1024", `RabbitMQ at ${address} answered with an error: ${text}`);
}

/** The same error as an answer to `publish`, of which nothing was sent. */
export function rejection(error: unknown): PublishRejected {
  if (error instanceof PublishRejected) return error;
  const { code, message, hint } = error instanceof BrokerError ? error : new BrokerError("Q1101", String(error));
  return new PublishRejected(code, message, { hint, cause: error });
}

/** Why there is no connection. `Q1001`, or a code that says more when trying again will not help. */
export function unreachable(error: unknown, address: string): BrokerError {
  if (error instanceof BrokerError) return error;
  const text = messageOf(error);
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  if (/ACCESS.REFUSED|403/.test(text)) {
    return new BrokerError("Q1002", `RabbitMQ refused the login (${address})`, {
      hint: "look at user and password of the broker URL; the user guest is let in from the server's own machine only",
    });
  }
  // amqplib keeps the server's own words to itself there.
  if (/NOT.ALLOWED|530|Expected ConnectionOpenOk/.test(text)) {
    return new BrokerError("Q1025", `RabbitMQ has no such vhost, or this user may not use it (${address})`, {
      hint: "rabbitmqctl add_vhost NAME; rabbitmqctl set_permissions -p NAME USER …",
    });
  }
  if (/certificate|CERT_|ERR_TLS|ERR_SSL|ERR_OSSL|altnames|handshake failure/i.test(`${String(code)} ${text}`)) {
    return new BrokerError("Q1021", `no encrypted connection to RabbitMQ at ${address}: ${firstWords(text)}`, {
      hint: hintForTls(text),
    });
  }
  const reason = typeof code === "string" ? code : firstWords(text).replace(/:.*$/, "");
  return new ConnectionLost(`could not reach RabbitMQ at ${address} (${reason})`, {
    sent: false,
    hint: hintFor(reason, address.startsWith("amqps:")),
  });
}

/** Whether the server has said no to a message. Otherwise its channel ended before there was an answer. */
export function isRefusal(error: unknown): boolean {
  // amqplib's words for a nack.
  return messageOf(error) === "message nacked";
}

/** Whether there is no such queue. One that is there and cannot be reached has the same code. */
export function isQueueMissing(error: unknown): boolean {
  return replyCodeOf(error) === replyCode.missing && /no queue '/.test(messageOf(error));
}

/** Which argument of a queue is another one there: `x-max-priority`. `undefined` when the server says nothing of the kind. */
export function clashingArgument(error: unknown): string | undefined {
  return /inequivalent arg '([^']+)'/.exec(messageOf(error))?.[1];
}

function hintFor(reason: string, isEncrypted: boolean): string {
  if (/^(ENOTFOUND|EAI_AGAIN)/.test(reason)) return "is the host in the URL right? No address was found for it";
  const running = "is it running, and reachable from here?";
  // What a server says when it misses a certificate may be lost as it hangs up.
  if (isEncrypted)
    return `${running} Does it speak TLS on this port, or ask for a certificate of yours (cert and key)?`;
  if (/ECONNRESET|ended|close/i.test(reason)) return `${running} If it speaks TLS, the URL begins with amqps:`;
  // Another server may wait for what it understands.
  return reason === "ETIMEDOUT" ? `${running} And is this the port of RabbitMQ?` : running;
}

/** OpenSSL's words for what it reads from a server without TLS, and for the alert of one that misses a certificate. */
function hintForTls(text: string): string {
  if (/wrong version number|packet length/i.test(text))
    return "does it speak TLS on this port? The URL of one that does not begins with amqp:";
  if (/alert/i.test(text)) return "the server asks for a certificate of yours: the options cert and key";
  return "the options are ca, cert, key and servername";
}

/** What the server said, without what amqplib puts around it. */
export function serverText(error: unknown): string {
  return firstWords(/with message "(.*)"/s.exec(messageOf(error))?.[1] ?? messageOf(error));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function firstWords(text: string): string {
  return text.split("\n", 1)[0]?.slice(0, 300) ?? "";
}
