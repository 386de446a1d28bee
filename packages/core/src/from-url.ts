import type { Broker, BrokerFactory } from "./broker/broker.ts";
import { didYouMean } from "./nearest.ts";
import { ConfigError } from "./q-error.ts";

/**
 * The broker that a URL names: `fromUrl(process.env.Q_BROKER_URL ?? "sqlite:.q/q.db", [sqlite, redis])`.
 * @throws ConfigError `Q2014` when no factory answers to the scheme; the URL itself is never repeated, it may hold a password
 */
export function fromUrl(url: string, factories: readonly BrokerFactory[]): Broker {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0].toLowerCase();
  const known = factories.flatMap((factory) => factory.schemes);
  const factory = factories.find((one) => scheme !== undefined && one.schemes.includes(scheme));
  if (factory !== undefined) return factory(url);
  const details = { known: known.join(", ") };
  // For callers without types: a variable that is not set.
  if (url === undefined || url === "")
    throw new ConfigError("Q2014", "expected the URL of a broker, got nothing", {
      hint: "is the variable set that it comes from?",
      details,
    });
  if (scheme === undefined || isHostAndPort(url))
    throw new ConfigError("Q2014", "the broker URL has no scheme", {
      hint: "begin it with one of the schemes that are known here",
      details,
    });
  throw new ConfigError("Q2014", `no broker answers to "${scheme}"`, {
    hint: didYouMean(scheme, known) ?? "hand the adapter's factory to fromUrl(url, [...]), as its README shows",
    details,
  });
}

/** `localhost:6379`, `cache:6379/0`: what stands before a port is no scheme. */
function isHostAndPort(url: string): boolean {
  return /^[^:]+:\d+(\/|$)/.test(url);
}
