import { BrokerError, type QErrorOptions } from "@q/core/broker";

/**
 * The answer did not come: the connection ended, or nobody was there. `sent` tells whether the command may have been carried out.
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

interface Meaning {
  readonly pattern: RegExp;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** What Redis says. */
const replies: readonly Meaning[] = [
  {
    pattern: /^(WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH)/,
    code: "Q1002",
    message: "Redis refused the login",
    hint: "look at user and password of the broker URL",
  },
  {
    pattern: /^(OOM|-OOM)|command not allowed when used memory/,
    code: "Q1016",
    message: "Redis is full: its maxmemory is reached, and it takes nothing more in",
    hint: "workers go on and make room; raise maxmemory, or find out why so much waits",
  },
  {
    pattern: /WRONGTYPE/,
    code: "Q1017",
    message: "a key of this queue holds something of another type, which another program must have put there",
    hint: "TYPE on the keys of the queue tells which; delete or rename that key",
  },
  {
    pattern: /^NOPERM|ACL failure in script|No permission|user executing the script can't/i,
    code: "Q1018",
    message: "the Redis user may not do this",
    hint: "the README of the adapter lists what producers and workers need",
  },
  {
    pattern: /^MISCONF/,
    code: "Q1019",
    message: "Redis cannot write to its disk and takes nothing more in",
    hint: "free some space where Redis keeps its data, and look in its log",
  },
  {
    pattern: /^MOVED |cluster support disabled|unknown command.*(SENTINEL|EVALSHA)/i,
    code: "Q1023",
    message: "this Redis is of another kind than its URL says",
    hint: "redis: is for one server, redis+cluster: for a cluster, redis+sentinel: for what Sentinels watch",
  },
  {
    pattern: /DB index is out of range/i,
    code: "Q1020",
    message: "Redis has no database of this number",
    hint: "it has 16, from 0, unless `databases` in its configuration says otherwise; a cluster has one",
  },
];

/** What stands in the way of an encrypted connection, by the code of the error. */
const obstacles: readonly Meaning[] = [
  {
    pattern: /^CERT_HAS_EXPIRED/,
    code: "Q1021",
    message: "the certificate of Redis has expired",
    hint: "renew it on the server",
  },
  {
    pattern: /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/,
    code: "Q1021",
    message: "the certificate of Redis is from an authority that is not trusted here",
    hint: "name the authority's own certificate: rediss://host/0?ca=/path/to/ca.pem",
  },
  {
    pattern: /^ERR_TLS_CERT_ALTNAME_INVALID/,
    code: "Q1021",
    message: "the certificate of Redis is for another host",
    hint: "use the name in the certificate, in the URL or as the option servername",
  },
  {
    pattern: /^ERR_SSL_WRONG_VERSION_NUMBER|^ERR_SSL_PACKET_LENGTH_TOO_LONG/,
    code: "Q1021",
    message: "Redis does not speak TLS on this port",
    hint: "begin the URL with redis: instead of rediss:, or use the port with TLS",
  },
  {
    pattern: /^ERR_SSL.*ALERT|^EPROTO/,
    code: "Q1021",
    message: "Redis refused the encrypted connection",
    hint: "it may want a certificate of ours: the options cert and key",
  },
  {
    pattern: /^ERR_OSSL/,
    code: "Q1021",
    message: "the certificate or key given for Redis is none",
    hint: "ca, cert and key are files in PEM, or their text; key belongs to cert",
  },
];

/** Replies that a later attempt may not get: the server loads its data, a replica is no master yet, slots move. Nothing was done. */
const passing = /^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|READONLY|UNBLOCKED|NOREPLICAS|BUSY|ASK)\b/;

/** The word by which Redis says that it cannot do it now, such as `LOADING`, or `undefined`. */
export function passingReason(error: unknown): string | undefined {
  return passing.exec(replyOf(error))?.[1];
}

/** After a failover the old master says so. */
export function isReadOnly(error: Error): boolean {
  return replyOf(error).startsWith("READONLY");
}

/**
 * An error of the client as one of ours. Nothing of the command is kept: it holds messages, and at login the password.
 * @param address of the server, without credentials
 */
export function redisError(error: unknown, address: string): BrokerError {
  if (error instanceof BrokerError) return error;
  const text = replyOf(error);
  const meaning = replies.find(({ pattern }) => pattern.test(text));
  if (meaning !== undefined) return withMeaning(meaning, address);
  return new BrokerError("Q1020", `Redis at ${address} answered with an error: ${firstWords(text)}`);
}

/** Why there is no connection. `Q1001`, or a code that says more when trying again will not help. */
export function unreachable(error: unknown, address: string): BrokerError {
  if (error instanceof BrokerError) return error;
  const origin = originOf(error);
  const reason = reasonOf(origin);
  const meaning =
    replies.find(({ pattern }) => pattern.test(replyOf(origin))) ??
    obstacles.find(({ pattern }) => pattern.test(reason));
  if (meaning !== undefined) return withMeaning(meaning, address);
  return new ConnectionLost(`could not reach Redis at ${address}${reason === "" ? "" : ` (${reason})`}`, {
    sent: false,
    hint: hintFor(reason, address.startsWith("rediss")),
  });
}

/** `ECONNREFUSED` and its like, or the first words. Empty when there is nothing to say. */
export function reasonOf(error: unknown): string {
  const origin = originOf(error);
  if (origin === undefined) return "";
  const { code } = origin as NodeJS.ErrnoException;
  if (typeof code === "string") return code;
  const text = messageOf(origin);
  // ioredis says no more than that when the other side hung up.
  if (text === "Connection is closed." || text === "None of startup nodes is available") return "";
  // The parser of ioredis asks to be told of what it cannot read; it is a port of RabbitMQ, or of a web server.
  if (text.startsWith("Unknown RESP type")) return notRedis;
  return firstWords(text).split(": ", 1)[0] ?? "";
}

const notRedis = "what answers there is not Redis";

function hintFor(reason: string, isEncrypted: boolean): string {
  if (reason === notRedis) return "look at host and port of the broker URL";
  if (/^(ENOTFOUND|EAI_AGAIN)/.test(reason)) return "is the host in the URL right? No address was found for it";
  // A server without TLS waits for the end of the first line, one with TLS hangs up on it.
  if (isEncrypted && /^(ETIMEDOUT|)$/.test(reason))
    return "is it running, reachable from here, and does it speak TLS on this port?";
  // Its reason is lost when we have written something meanwhile.
  if (isEncrypted && /^(ECONNRESET|EPIPE)$/.test(reason))
    return "is it running, and reachable from here? It may want a certificate of ours: the options cert and key";
  if (!isEncrypted && /^(ECONNRESET|)$/.test(reason))
    return "is it running, and reachable from here? If it speaks TLS, the URL begins with rediss:";
  return "is it running, and reachable from here?";
}

/** What is at the bottom of it: of several addresses of a host, several nodes, several Sentinels. */
function originOf(error: unknown): unknown {
  if (error instanceof AggregateError) return originOf(error.errors[0]);
  const { lastNodeError } = (error ?? {}) as { readonly lastNodeError?: unknown };
  if (lastNodeError !== undefined && lastNodeError !== null) return originOf(lastNodeError);
  if (!messageOf(error).startsWith("All sentinels are unreachable")) return error;
  // Without a last error they were reached, and had no answer.
  const [, last = "no Sentinel names a server"] = /Last error: (.*)$/s.exec(messageOf(error)) ?? [];
  return new Error(last);
}

/** The reply alone. Redis 6.2 wraps what a command in a script was told into an error of the script. */
function replyOf(error: unknown): string {
  return messageOf(error).replace(/^ERR Error running script .*?: (?:@user_script: ?\d+: )+-?/, "");
}

function withMeaning({ code, message, hint }: Meaning, address: string): BrokerError {
  return new BrokerError(code, `${message} (${address})`, { hint });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}

/** One line, and without the arguments that Redis repeats of a command that it does not know. */
function firstWords(text: string): string {
  return text.split(/\n|, with args beginning/, 1)[0]?.slice(0, 200) ?? "";
}
