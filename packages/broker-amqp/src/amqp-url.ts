import { ConfigError, parseHost, splitServerUrl, type HostPort } from "@q/core/broker";

/** Every scheme of ours, and whether it encrypts. `pyamqp` is Celery's word for `amqp`. */
const schemes: Readonly<Record<string, boolean>> = { "amqp:": false, "amqps:": true, "pyamqp:": false };

export const urlSchemes: readonly string[] = Object.keys(schemes);

/** Names that URLs of Celery have for our options. */
const celeryNames: Readonly<Record<string, string>> = {
  ssl_ca_certs: "ca",
  ssl_certfile: "cert",
  ssl_keyfile: "key",
};

/** Celery writes a whole URL for each host: all but the first host and what follows the last is in the way. */
const betweenHosts = /(?:(?<![:/])\/{1,2}[^;,/?#]*)?;(?:py)?amqps?:\/\/(?:[^/?#;]*@)?/gi;

/** What a URL says. The parameters are options still to be checked, as text. */
export interface UrlParts {
  readonly hosts: readonly HostPort[];
  readonly tls: boolean;
  readonly vhost: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Takes a URL apart. No error repeats any of it, because any part of a mistyped URL can be the password.
 * @throws ConfigError `Q2026`
 */
export function parseAmqpUrl(url: string): UrlParts {
  const { scheme, hosts, path, parameters } = splitServerUrl(url.replace(betweenHosts, ","), {
    schemes: urlSchemes,
    example: "amqp://user:password@host:5672/vhost",
    translate: (name, value) => {
      if (name === "ssl_cert_reqs") return ["insecure", /none$/i.test(value) ? "true" : "false"];
      const ours = celeryNames[name];
      return ours === undefined ? undefined : [ours, value];
    },
  });
  const tls = schemes[scheme] ?? false;
  if (/^,|,,|,$/.test(hosts)) throw new ConfigError("Q2026", "expected a URL like amqp://host1:5672,host2:5672/vhost");
  return {
    hosts: hosts.split(",").map((host) => parseHost(host, tls ? 5671 : 5672)),
    tls,
    // Without a path, with an empty one, and with `/%2F` it is the vhost "/", as for Celery.
    vhost: path === "" || path === "/" ? "/" : path.slice(1),
    parameters,
  };
}
