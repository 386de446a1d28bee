import { ConfigError } from "../q-error.ts";

/** Where a server listens. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

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
    throw new ConfigError("Q2026", "expected host:port, with a port from 1 to 65535, in the address of the broker", {
      hint: `an IPv6 address stands in brackets: [::1]:${defaultPort}; in a password write @ as %40, / as %2F, : as %3A, ? as %3F and # as %23`,
    });
  }
  return { host: v6 ?? name ?? "localhost", port };
}

/** The same for people: `[::1]:6379`. */
export function formatHost({ host, port }: HostPort): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
