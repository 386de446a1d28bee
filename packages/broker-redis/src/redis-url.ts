import { ConfigError, parseHost, splitServerUrl, type HostPort } from "@q/core/broker";
import { defaultPorts, type Target } from "./target.ts";

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

/** Celery writes a whole URL for each Sentinel: all but the first and what follows the last is in the way. */
const betweenSentinels = /(?:\/\d*)?;sentinel:\/\/(?:[^/?#;]*@)?/gi;

/**
 * Takes a URL apart. No error repeats any of it, because any part of a mistyped URL can be the password.
 * @throws ConfigError `Q2026`
 */
export function parseRedisUrl(url: string): UrlParts {
  const { scheme, hosts, path, parameters } = splitServerUrl(url.replace(betweenSentinels, ","), {
    schemes: urlSchemes,
    example: "redis://:password@host:6379/0",
    translate: (name, value) => {
      if (name === "ssl_cert_reqs") return ["insecure", /none$/i.test(value) ? "true" : "false"];
      const ours = celeryNames[name];
      return ours === undefined ? undefined : [ours, value];
    },
  });
  const { kind, tls } = schemes[scheme] ?? { kind: "standalone", tls: false };
  return { tls, ...parsePlace(kind, { hosts, path, parameters }) };
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

function misplaced(example: string): ConfigError {
  return new ConfigError("Q2026", `expected a URL like ${example}`);
}
