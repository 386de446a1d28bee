import { formatHost, type HostPort } from "@q/core/broker";

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

/** The same for people, without credentials: `redis+sentinel://s1:26379,s2:26379/mymaster/0`. */
export function addressOf(target: Target, { db, tls }: { readonly db: number; readonly tls: boolean }): string {
  const scheme = tls ? "rediss" : "redis";
  switch (target.kind) {
    case "standalone":
      return `${scheme}://${formatHost(target)}/${db}`;
    case "socket":
      return `redis+socket://${encodeURI(target.path)}?db=${db}`;
    case "sentinel":
      return `${scheme}+sentinel://${target.sentinels.map(formatHost).join()}/${encodeURIComponent(target.master)}/${db}`;
    case "cluster":
      return `${scheme}+cluster://${target.nodes.map(formatHost).join()}`;
  }
}
