import { ConfigError } from "@q/core/broker";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is. */
export type Target =
  | ({ readonly kind: "standalone" } & HostPort)
  | { readonly kind: "socket"; readonly path: string }
  | {
      readonly kind: "sentinel";
      /** Name of the group of servers, as the Sentinels know it. */
      readonly master: string;
      readonly sentinels: readonly HostPort[];
    }
  | { readonly kind: "cluster"; readonly nodes: readonly HostPort[] };

export const defaultPorts = { standalone: 6379, socket: 0, sentinel: 26_379, cluster: 6379 } as const;

/** A host in brackets is an IPv6 address. Without one it is this machine. */
const hostShape = /^(?:\[([0-9a-f:.]+)\]|([^\s\p{Cc}:@[\]/\\,;?#]+))?(?::(\d{1,5}))?$/iu;

/**
 * Reads `cache`, `cache:6380` or `[::1]:6380`.
 * @throws ConfigError `Q2026`, in which the text is not repeated: in a URL that was put together wrongly, it is a password
 */
export function parseHost(text: string, defaultPort: number): HostPort {
  const [, v6, name, digits] = hostShape.exec(text) ?? [undefined, undefined, undefined, "0"];
  const port = Number(digits ?? defaultPort);
  if (port < 1 || port > 65_535) {
    throw new ConfigError("Q2026", "expected host:port, with a port from 1 to 65535, in the address of Redis", {
      hint: "an IPv6 address stands in brackets: [::1]:6379; in a password write @ as %40, / as %2F, : as %3A, ? as %3F and # as %23",
    });
  }
  return { host: v6 ?? name ?? "localhost", port };
}

/** The same for people, without credentials: `redis+sentinel://s1:26379,s2:26379/mymaster/0`. */
export function addressOf(target: Target, { db, tls }: { readonly db: number; readonly tls: boolean }): string {
  const scheme = tls ? "rediss" : "redis";
  switch (target.kind) {
    case "standalone":
      return `${scheme}://${hostPort(target)}/${db}`;
    case "socket":
      return `redis+socket://${encodeURI(target.path)}?db=${db}`;
    case "sentinel":
      return `${scheme}+sentinel://${target.sentinels.map(hostPort).join()}/${encodeURIComponent(target.master)}/${db}`;
    case "cluster":
      return `${scheme}+cluster://${target.nodes.map(hostPort).join()}`;
  }
}

function hostPort({ host, port }: HostPort): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
