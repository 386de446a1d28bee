import {
  ConfigError,
  OptionValues,
  formatHost,
  parseHost,
  readTls,
  tlsOptionNames,
  type Duration,
  type HostPort,
  type TlsSettings,
} from "@q/core/broker";
import { parseAmqpUrl, type UrlParts } from "./amqp-url.ts";

/** `quorum` is replicated and the default; `classic` is on one node. */
export type QueueType = "quorum" | "classic";

/** What is particular about one queue. */
export interface AmqpQueueOptions {
  /** Default: `queueType`, and `classic` for a queue with priorities. */
  readonly type?: QueueType;
  /**
   * The queue is Celery's too: used as it is, whatever its arguments, and created exactly as Celery creates it (durable, classic, without arguments).
   * With any other declaration Celery's producers and workers would stop.
   */
  readonly shared?: "celery";
}

/** All but lists and tables may also be parameters of the URL: `amqp://mq/app?timeout=10s`. An option wins over the same parameter. */
export interface AmqpOptions {
  /** Where RabbitMQ is: `AmqpFactory` shows the forms. Default `amqp://guest:guest@localhost:5672/`. */
  readonly url?: string;
  /** Nodes of one cluster, `["mq1:5672", "mq2:5672"]`, instead of those in the URL. */
  readonly hosts?: readonly string[];
  /** Default `guest`, whom RabbitMQ lets in from its own machine only. */
  readonly username?: string;
  readonly password?: string;
  /** Default `/`. */
  readonly vhost?: string;
  /** Whether to encrypt. Default: as the URL says. */
  readonly tls?: boolean;
  /** Whom to trust instead of the usual authorities: a PEM file, or its text. */
  readonly ca?: string;
  /** Our own certificate, with its `key`, where the server asks for one: a PEM file, or its text. */
  readonly cert?: string;
  readonly key?: string;
  /** The host that the server's certificate is for. Default: the host that is connected to. */
  readonly servername?: string;
  /** Trust any certificate, also that of somebody who listens in. Default false. */
  readonly insecure?: boolean;
  /** What new queues are. Default `"quorum"`. */
  readonly queueType?: QueueType;
  /** What is particular about single queues, by name. */
  readonly queues?: Readonly<Record<string, AmqpQueueOptions>>;
  /** How often each side says that it is there; after two in a row that are missing the connection has ended. At least `"1s"`. Default `"10s"`. */
  readonly heartbeat?: Duration;
  /** Longest wait for RabbitMQ: to connect, to answer, to confirm a message. Default `"5s"`. */
  readonly timeout?: Duration;
  /**
   * The server's `consumer_timeout`: for how long a message may be held before the server takes everything back from its worker.
   * Default `"30m"`, which is the server's; `false` when it has none.
   */
  readonly consumerTimeout?: Duration | false;
}

/** The options, read. */
export interface Settings {
  readonly hosts: readonly HostPort[];
  readonly vhost: string;
  readonly username: string;
  readonly password: string;
  readonly tls: TlsSettings | undefined;
  /** For people, without credentials. */
  readonly address: string;
  readonly queueType: QueueType;
  readonly queues: Readonly<Record<string, AmqpQueueOptions>>;
  readonly heartbeatMs: number;
  /** Longest wait for RabbitMQ. Milliseconds. */
  readonly timeoutMs: number;
  /** `null` is for ever. Milliseconds. */
  readonly consumerTimeoutMs: number | null;
}

const queueTypes = ["quorum", "classic"] as const;
/** What may stand in an object and as a parameter in a URL. */
const parameters: readonly string[] = [
  ...tlsOptionNames,
  "username",
  "password",
  "queueType",
  "heartbeat",
  "timeout",
  "consumerTimeout",
] satisfies (keyof AmqpOptions)[];
/** The rest of a URL says these, or nothing in it can. */
const onlyOptions: readonly string[] = ["url", "hosts", "vhost", "tls", "queues"] satisfies (keyof AmqpOptions)[];
/** AMQP counts channels, and so heartbeats, in seconds of 16 bits. */
const longestHeartbeatMs = 65_535_000;

/**
 * Reads options, or a URL that holds them.
 * @throws ConfigError `Q2010` not a duration, `Q2011` unknown option, `Q2026` not an address, `Q2027` another value that does not fit
 */
export function readOptions(urlOrOptions: string | AmqpOptions = {}): Settings {
  const options = typeof urlOrOptions === "string" ? { url: urlOrOptions } : urlOrOptions;
  refuseUnknown("option", Object.keys(options), [...parameters, ...onlyOptions]);
  const place = readPlace(new OptionValues(options));
  refuseUnknown("parameter in its URL", Object.keys(place.parameters), parameters);
  const values = new OptionValues(place.parameters, options);
  const tls = readTls(values, { tls: place.tls, scheme: "amqps:" });
  const hosts = values.list("hosts")?.map((host) => parseHost(host, tls === undefined ? 5672 : 5671)) ?? place.hosts;
  const vhost = values.text("vhost") ?? place.vhost;
  return {
    hosts,
    vhost,
    username: values.text("username") ?? "guest",
    password: values.text("password") ?? (values.has("username") ? "" : "guest"),
    tls,
    address: `${tls === undefined ? "amqp" : "amqps"}://${hosts.map(formatHost).join()}/${vhost === "/" ? "" : encodeURIComponent(vhost)}`,
    queueType: values.word("queueType", queueTypes) ?? "quorum",
    queues: values.each("queues", readQueue) ?? {},
    heartbeatMs: Math.min(values.duration("heartbeat", { atLeast: "1s" }) ?? 10_000, longestHeartbeatMs),
    timeoutMs: values.duration("timeout", { atLeast: "100ms" }) ?? 5000,
    consumerTimeoutMs: values.isOff("consumerTimeout")
      ? null
      : (values.duration("consumerTimeout", { atLeast: "1s" }) ?? 1_800_000),
  };
}

function readPlace(values: OptionValues): UrlParts {
  if (values.has("url") && values.has("hosts"))
    throw new ConfigError("Q2027", "expected one of url and hosts: each says where RabbitMQ is");
  return parseAmqpUrl(values.text("url") ?? "amqp://localhost:5672/");
}

function readQueue(name: string, value: unknown): AmqpQueueOptions {
  if (typeof value !== "object" || value === null)
    throw new ConfigError("Q2027", `expected queues["${name}"] to be an object like { type: "classic" }`);
  refuseUnknown(`option of the queue "${name}"`, Object.keys(value), ["type", "shared"]);
  const values = new OptionValues(value);
  const type = values.word("type", queueTypes);
  const shared = values.word("shared", ["celery"]);
  if (type !== undefined && shared !== undefined) {
    throw new ConfigError("Q2027", `the queue "${name}" is shared, and Celery decides its type`, {
      hint: "leave out the type",
    });
  }
  return { ...(type === undefined ? {} : { type }), ...(shared === undefined ? {} : { shared }) };
}

function refuseUnknown(what: string, names: readonly string[], known: readonly string[]): void {
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new ConfigError("Q2011", `the RabbitMQ broker has an unknown ${what}: "${name}"`, {
      details: { known: known.join(", ") },
    });
  }
}
