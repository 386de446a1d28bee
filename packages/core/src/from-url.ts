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
  throw new ConfigError(
    "Q2014",
    scheme === undefined ? "the broker URL has no scheme" : `no broker answers to "${scheme}"`,
    {
      hint:
        (scheme === undefined ? undefined : didYouMean(scheme, known)) ??
        "hand the adapter's factory to fromUrl(url, [...]), as its README shows",
      details: { known: known.join(", ") },
    },
  );
}
