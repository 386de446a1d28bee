import { ConfigError } from "@q/core/broker";
import { defaultPorts, parseHost, type HostPort, type Target } from "./target.ts";

/** Every scheme of ours, and what it stands for. `unix` is redis-py's, `sentinel` is Celery's. */
const schemes: Readonly<Record<string, { readonly kind: Target["kind"]; readonly tls: boolean }>> = {
  "redis:": { kind: "standalone", tls: false },
  "rediss:": { kind: "standalone", tls: true },
  "redis+socket:": { kind: "socket", tls: false },
  "unix:": { kind: "socket", tls: false },
  "redis+sentinel:": { kind: "sentinel", tls: false },
  "rediss+sentinel:": { kind: "sentinel", tls: true },
  "sentinel:": { kind: "sentinel", tls: false },
  "redis+cluster:": { kind: "cluster", tls: false },
  "rediss+cluster:": { kind: "cluster", tls: true },
};

export const urlSchemes: readonly string[] = Object.keys(schemes);

/** Names that URLs of Celery and redis-py have for our options. */
const celeryNames: Readonly<Record<string, string>> = {
  virtual_host: "db",
  master_name: "master",
  ssl_ca_certs: "ca",
  ssl_certfile: "cert",
  ssl_keyfile: "key",
};

/** What a URL says. The parameters are options still to be checked, as text. */
export interface UrlParts {
  readonly target: Target;
  readonly tls: boolean;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Scheme, credentials, hosts, path, parameters. More than one host is what `new URL` does not know. */
const shape = /^([a-z+]+:)\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#@]*)?(?:\?([^#@]*))?$/i;
/** Celery writes a whole URL for each Sentinel: all but the first and what follows the last is in the way. */
const betweenSentinels = /(?:\/\d*)?;sentinel:\/\/(?:[^/?#;]*@)?/gi;

/**
 * Takes a URL apart. No error repeats any of it, because any part of a mistyped URL can be the password.
 * @throws ConfigError `Q2026`
 */
export function parseRedisUrl(url: string): UrlParts {
  const [, scheme = "", credentials, hosts = "", path = "", query = ""] =
    shape.exec(url.replace(betweenSentinels, ",")) ?? [];
  const known = schemes[scheme.toLowerCase()];
  if (known === undefined) {
    throw new ConfigError("Q2026", "expected a URL like redis://:password@host:6379/0", {
      hint: "in a password write @ as %40, / as %2F, : as %3A, ? as %3F and # as %23",
      details: { schemes: urlSchemes.join(" ") },
    });
  }
  const parameters = { ...parseCredentials(credentials), ...parseQuery(query) };
  return { tls: known.tls, ...parsePlace(known.kind, { hosts, path: decoded(path), parameters }) };
}

interface Place {
  readonly hosts: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
}

function parsePlace(kind: Target["kind"], { hosts, path, parameters }: Place): Omit<UrlParts, "tls"> {
  if (kind === "socket") {
    if (hosts !== "" || path.length < 2) throw misplaced("redis+socket:///run/redis/redis.sock?db=0");
    return { target: { kind, path }, parameters };
  }
  const servers = hosts.split(",").map((text) => parseHost(text, defaultPorts[kind]));
  const [, ...segments] = path.replace(/\/$/, "").split("/");
  if (kind === "sentinel") {
    // A number is a database; the name is then a parameter.
    const { master = /^\d+$/.test(segments[0] ?? "") ? undefined : segments.shift(), ...others } = parameters;
    if (master === undefined || master === "") throw misplaced("redis+sentinel://host1:26379,host2:26379/mymaster/0");
    return { target: { kind, master, sentinels: severalHosts(servers, hosts) }, parameters: withDb(others, segments) };
  }
  if (kind === "cluster")
    return { target: { kind, nodes: severalHosts(servers, hosts) }, parameters: withDb(parameters, segments) };
  const [server, ...more] = servers;
  if (server === undefined || more.length > 0)
    throw misplaced("redis+cluster://host1,host2 or redis+sentinel://host1,host2/mymaster");
  return { target: { kind, ...server }, parameters: withDb(parameters, segments) };
}

/** Between commas a missing host is a mistake. */
function severalHosts(servers: readonly HostPort[], text: string): readonly HostPort[] {
  if (/^,|,,|,$/.test(text)) throw misplaced("host1:port,host2:port");
  return servers;
}

function withDb(parameters: Place["parameters"], [db, ...more]: readonly string[]): Place["parameters"] {
  if (more.length > 0) throw misplaced("redis://host:6379/0");
  return db === undefined || db === "" ? parameters : { ...parameters, db };
}

function parseCredentials(text: string | undefined): { username?: string; password?: string } {
  if (text === undefined || text === "") return {};
  const colon = text.indexOf(":");
  if (colon === -1) {
    throw new ConfigError("Q2026", "expected user:password before the @ in the URL of Redis, got one word", {
      hint: "redis://:password@host has no user, redis://user:@host has no password",
    });
  }
  const username = decoded(text.slice(0, colon));
  const password = decoded(text.slice(colon + 1));
  return username === "" ? { password } : { username, password };
}

function parseQuery(query: string): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = {};
  for (const pair of query === "" ? [] : query.split("&")) {
    const [name = "", ...value] = pair.split("=");
    const text = decoded(value.join("="));
    if (name === "ssl_cert_reqs") parameters["insecure"] = /none$/i.test(text) ? "true" : "false";
    else parameters[celeryNames[name] ?? decoded(name)] = text;
  }
  return parameters;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConfigError("Q2026", "expected %XX escapes in the URL of Redis to be UTF-8", {
      hint: "write a percent sign as %25",
    });
  }
}

function misplaced(example: string): ConfigError {
  return new ConfigError("Q2026", `expected a URL like ${example}`);
}
