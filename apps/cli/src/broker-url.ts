import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { ConfigError, didYouMean, type Broker, type BrokerFactory } from "@q/core";
import { schemeOf } from "@q/core/broker";

interface Adapter {
  /** All of its factory's. They stand here too, because they say which package to load. */
  readonly schemes: readonly string[];
  readonly package: string;
  readonly factory: string;
  /** The copy that this package brings along, for a project that has none of its own. */
  readonly bundled?: () => Promise<AdapterModule>;
}

type AdapterModule = Readonly<Record<string, unknown>>;

const adapters: readonly Adapter[] = [
  {
    schemes: ["sqlite:"],
    package: "@q/broker-sqlite",
    factory: "sqlite",
    bundled: () => import("@q/broker-sqlite"),
  },
  {
    schemes: [
      "redis:",
      "rediss:",
      "redis+socket:",
      "unix:",
      "redis+sentinel:",
      "rediss+sentinel:",
      "sentinel:",
      "redis+cluster:",
      "rediss+cluster:",
    ],
    package: "@q/broker-redis",
    factory: "redis",
  },
  { schemes: ["amqp:", "amqps:", "pyamqp:"], package: "@q/broker-amqp", factory: "amqp" },
];

export interface BrokerUrlOptions {
  /** Who gave the URL, for the error: `--broker`, `Q_BROKER_URL`. */
  readonly from: string;
  /** The project's config file: its packages are looked for first. */
  readonly configPath: string;
}

/**
 * The broker behind a URL. SQLite comes with this package; the others are loaded from the project.
 * @throws ConfigError `Q2014` unknown scheme, `Q1005` the adapter's package is not installed. The URL is never repeated: it may hold a password
 */
export async function brokerFromUrl(url: string, options: BrokerUrlOptions): Promise<Broker> {
  const adapter = adapterOf(url, options.from);
  const module = await importAdapter(adapter, options.configPath);
  const factory = module[adapter.factory];
  if (typeof factory !== "function")
    throw new ConfigError("Q1005", `${adapter.package} exports no ${adapter.factory}()`, {
      hint: `update it: npm i ${adapter.package}@latest`,
    });
  // The adapter packages export their factory under this name.
  return (factory as BrokerFactory)(url);
}

function adapterOf(url: string, from: string): Adapter {
  const known = adapters.flatMap((adapter) => adapter.schemes);
  const scheme = schemeOf(url, known);
  const found = adapters.find((adapter) => scheme !== undefined && adapter.schemes.includes(scheme));
  if (found !== undefined) return found;
  const details = { known: known.join(", ") };
  if (scheme === undefined)
    throw new ConfigError("Q2014", `the broker URL of ${from} has no scheme`, {
      hint: "begin it with one of those that are known, as in redis://localhost:6379",
      details,
    });
  throw new ConfigError("Q2014", `${from}: no broker answers to "${scheme}"`, {
    hint: didYouMean(scheme, known) ?? "for a broker of your own, name it in q.config.ts",
    details,
  });
}

async function importAdapter(adapter: Adapter, configPath: string): Promise<AdapterModule> {
  const path = resolveFrom(adapter.package, configPath);
  if (path !== undefined) return (await import(pathToFileURL(path).href)) as AdapterModule;
  if (adapter.bundled !== undefined) return adapter.bundled();
  throw new ConfigError("Q1005", `package ${adapter.package} is not installed`, { hint: `npm i ${adapter.package}` });
}

function resolveFrom(name: string, from: string): string | undefined {
  try {
    return createRequire(from).resolve(name);
  } catch {
    // Not there. The caller looks elsewhere, and says so in the end.
    return undefined;
  }
}
