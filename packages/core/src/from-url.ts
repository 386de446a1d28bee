import type { Broker, BrokerFactory } from "./broker/broker.ts";
import { schemeOf } from "./broker/url-scheme.ts";
import { didYouMean } from "./nearest.ts";
import { ConfigError } from "./q-error.ts";

/**
 * The broker that a URL names: `fromUrl(process.env.Q_BROKER_URL ?? "sqlite:.q/q.db", [sqlite, redis])`.
 * @throws ConfigError `Q2014` when no factory answers to the scheme; the URL itself is never repeated, it may hold a password
 */
export function fromUrl(url: string, factories: readonly BrokerFactory[]): Broker {
  const known = factories.flatMap((factory) => factory.schemes);
  // For callers without types: a variable that is not set.
  const scheme = schemeOf(url ?? "", known);
  const factory = factories.find((one) => scheme !== undefined && one.schemes.includes(scheme));
  if (factory !== undefined) return factory(url);
  const details = { known: known.join(", ") };
  if (url === undefined || url === "")
    throw new ConfigError("Q2014", "expected the URL of a broker, got nothing", {
      hint: "is the variable set that it comes from?",
      details,
    });
  if (scheme === undefined)
    throw new ConfigError("Q2014", "the broker URL has no scheme", {
      hint: "begin it with one of the schemes that are known here",
      details,
    });
  throw new ConfigError("Q2014", `no broker answers to "${scheme}"`, {
    hint: didYouMean(scheme, known) ?? "hand the adapter's factory to fromUrl(url, [...]), as its README shows",
    details,
  });
}
