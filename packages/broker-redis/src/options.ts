import {
  ConfigError,
  OptionValues,
  parseHost,
  readTls,
  tlsOptionNames,
  type Duration,
  type HostPort,
  type TlsSettings,
} from "@q/core/broker";
import { parseRedisUrl, type UrlParts } from "./redis-url.ts";
import { addressOf, defaultPorts, type Target } from "./target.ts";

/** All but lists and tables may also be parameters of the URL: `redis://cache/0?lease=1m`. An option wins over the same parameter. */
export interface RedisOptions {
  /** Where Redis is: `RedisFactory` shows the forms. Default `redis://localhost:6379/0`, unless there are `sentinels` or a `cluster`. */
  readonly url?: string;
  /** Sentinels that know where the server is, `["s1:26379", "s2:26379"]`. With `master`. */
  readonly sentinels?: readonly string[];
  /** What the Sentinels call the server. */
  readonly master?: string;
  /** For the Sentinels themselves; `username` and `password` are for the server. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** Some nodes of a Redis Cluster, `["n1:6379", "n2:6379"]`. They tell of the others. */
  readonly cluster?: readonly string[];
  /** Where servers are from here that call themselves otherwise: `{ "172.18.0.2:6379": "localhost:7001" }`. Sentinel and Cluster only. */
  readonly natMap?: Readonly<Record<string, string>>;
  readonly username?: string;
  readonly password?: string;
  /** Number of the database. Default 0, which is all that a cluster has. */
  readonly db?: number;
  /** Whether to encrypt, with Sentinels too. Default: as the URL says. */
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
  /** Put in front of every key, as Celery's `global_keyprefix`. Default none. */
  readonly prefix?: string;
  /** How long a worker may be silent before what it holds goes to others. At least `"1s"`. Default `"30s"`; it is heard six times in that time. */
  readonly lease?: Duration;
  /** Replicas that must have a message before it counts as sent. Default 0: a failover loses what was sent just before. */
  readonly replicas?: number;
  /** Age beyond which a dead letter is deleted, when the next message of its queue dies. Default `"90d"`. */
  readonly deadMaxAge?: Duration;
  /** Dead letters of a queue beyond which the oldest is deleted. Default 100,000. */
  readonly deadMaxCount?: number;
  /** Longest wait for Redis: to connect, to answer, to store a message. At most `"2m"`. Default `"5s"`. */
  readonly timeout?: Duration;
  /**
   * How long the event loop of a worker may stand still, while it consumes, before its process is ended and its work goes to others. Default
   * `"10m"`; `false` lets it stand.
   */
  readonly stuckAfter?: Duration | false;
  /** Whether to start although this Redis deletes messages when its memory is full. Default false. */
  readonly allowEviction?: boolean;
}

/** A user, the default one when there is no name. */
export interface Login {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** The options, read. Plain data: a thread gets a copy. */
export interface Settings extends Login {
  readonly target: Target;
  /** For the Sentinels themselves, which have users of their own. */
  readonly sentinelLogin: Login;
  readonly natMap: Readonly<Record<string, HostPort>>;
  readonly db: number;
  readonly tls: TlsSettings | undefined;
  /** For people, without credentials. */
  readonly address: string;
  readonly prefix: string;
  readonly leaseMs: number;
  readonly replicas: number;
  /** How long a message waits after it crashed its second worker; doubles with each further one. Milliseconds. */
  readonly crashDelayMs: number;
  /** Time without a turn of the event loop after which the process is ended; `null` is never. Milliseconds. */
  readonly stuckAfterMs: number | null;
  readonly retention: { readonly maxAgeMs: number; readonly maxCount: number };
  /** Longest wait for Redis: to connect, to answer, to store a message. Milliseconds. */
  readonly timeoutMs: number;
  readonly allowEviction: boolean;
}

/** A send is repeated for as long, and the last attempt may take as long again and half of it: Redis must still know the first one then. */
const longestTimeoutMs = 120_000;

/** What may stand in an object and as a parameter in a URL. */
const parameters: readonly string[] = [
  ...tlsOptionNames,
  "sentinelUsername",
  "sentinelPassword",
  "username",
  "password",
  "db",
  "prefix",
  "lease",
  "replicas",
  "deadMaxAge",
  "deadMaxCount",
  "timeout",
  "stuckAfter",
  "allowEviction",
] satisfies (keyof RedisOptions)[];
/** The rest of a URL says these. */
const onlyOptions: readonly string[] = [
  "url",
  "sentinels",
  "master",
  "cluster",
  "natMap",
  "tls",
] satisfies (keyof RedisOptions)[];

/**
 * Reads options, or a URL that holds them.
 * @throws ConfigError `Q2010` not a duration, `Q2011` unknown option, `Q2026` not an address, `Q2027` another value that does not fit
 */
export function readOptions(urlOrOptions: string | RedisOptions = {}): Settings {
  const options = typeof urlOrOptions === "string" ? { url: urlOrOptions } : urlOrOptions;
  refuseUnknown("option", Object.keys(options), [...parameters, ...onlyOptions]);
  const place = readPlace(new OptionValues(options));
  refuseUnknown("parameter in its URL", Object.keys(place.parameters), parameters);
  const values = new OptionValues(place.parameters, options);
  const { target } = place;
  const db = values.number("db", { from: 0, to: target.kind === "cluster" ? 0 : 1_000_000 }) ?? 0;
  const tls = readTls(values, { tls: place.tls, scheme: "rediss:" });
  return {
    target,
    natMap: readNatMap(values),
    ...readLogin(values, ["username", "password"]),
    sentinelLogin: readSentinelLogin(values, target),
    db,
    tls,
    address: addressOf(target, { db, tls: tls !== undefined }),
    prefix: readPrefix(values),
    leaseMs: values.duration("lease", { atLeast: "1s" }) ?? 30_000,
    replicas: values.number("replicas", { from: 0, to: 100 }) ?? 0,
    crashDelayMs: 1000,
    stuckAfterMs: readStuckAfter(values),
    retention: {
      maxAgeMs: values.duration("deadMaxAge", { atLeast: "1s" }) ?? 90 * 86_400_000,
      maxCount: values.number("deadMaxCount", { from: 1, to: 1_000_000_000 }) ?? 100_000,
    },
    timeoutMs: readTimeout(values),
    allowEviction: values.flag("allowEviction") ?? false,
  };
}

function refuseUnknown(what: string, names: readonly string[], known: readonly string[]): void {
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new ConfigError("Q2011", `the Redis broker has an unknown ${what}: "${name}"`, {
      details: { known: known.join(", ") },
    });
  }
}

/** One of a URL, Sentinels and a cluster. */
function readPlace(values: OptionValues): UrlParts {
  const given = ["url", "sentinels", "cluster"].filter((name) => values.has(name));
  if (given.length > 1)
    throw new ConfigError("Q2027", `expected one of ${given.join(" and ")}: each says where Redis is`);
  const sentinels = values.list("sentinels");
  const master = values.text("master");
  if ((sentinels === undefined) !== (master === undefined))
    throw new ConfigError("Q2027", "expected sentinels and master together: who is asked, and for whom");
  const rest = { tls: false, parameters: {} };
  if (sentinels !== undefined && master !== undefined)
    return { target: { kind: "sentinel", master, sentinels: hostsOf("sentinel", sentinels) }, ...rest };
  const nodes = values.list("cluster");
  if (nodes !== undefined) return { target: { kind: "cluster", nodes: hostsOf("cluster", nodes) }, ...rest };
  return parseRedisUrl(values.text("url") ?? "redis://localhost:6379/0");
}

function hostsOf(kind: "sentinel" | "cluster", list: readonly string[]): readonly HostPort[] {
  return list.map((text) => parseHost(text, defaultPorts[kind]));
}

function readSentinelLogin(values: OptionValues, target: Target): Login {
  const names = ["sentinelUsername", "sentinelPassword"] as const;
  if (target.kind !== "sentinel" && names.some((name) => values.has(name)))
    throw new ConfigError("Q2027", `${names.join(" and ")} are for Sentinels, and there are none`);
  return readLogin(values, names);
}

function readLogin(values: OptionValues, [user, secret]: readonly [string, string]): Login {
  const username = values.text(user);
  // A user without a password may be one who needs none.
  return { username, password: values.text(secret) ?? (username === undefined ? undefined : "") };
}

function readNatMap(values: OptionValues): Settings["natMap"] {
  const table = Object.entries(values.table("natMap") ?? {});
  return Object.fromEntries(table.map(([from, to]) => [from, parseHost(to, defaultPorts.cluster)]));
}

/** Braces would put the keys of one queue into different slots of a cluster. */
function readPrefix(values: OptionValues): string {
  const prefix = values.text("prefix") ?? "";
  if (!/[{}]/.test(prefix)) return prefix;
  throw new ConfigError("Q2027", `expected a prefix without { and }, got ${JSON.stringify(prefix)}`);
}

function readTimeout(values: OptionValues): number {
  const timeoutMs = values.duration("timeout", { atLeast: "100ms" }) ?? 5000;
  if (timeoutMs <= longestTimeoutMs) return timeoutMs;
  throw new ConfigError("Q2027", `expected timeout to be at most "2m", got ${timeoutMs} ms`);
}

function readStuckAfter(values: OptionValues): number | null {
  if (values.isOff("stuckAfter")) return null;
  return values.duration("stuckAfter", { atLeast: "1s" }) ?? 600_000;
}
