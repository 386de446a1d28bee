import { ConfigError, type App } from "@q/core";
import { brokerFromUrl } from "./broker-url.ts";
import type { CliContext } from "./cli-context.ts";
import { findConfig } from "./find-config.ts";
import { loadError } from "./load-error.ts";
import { importerFor, type Importer } from "./module-loader.ts";
import { variableOf } from "./setting.ts";

/** What `--config` and `--broker` say. */
export interface LoadOptions {
  readonly config: string | undefined;
  readonly broker: string | undefined;
}

/** The user's app, found and loaded. Its task modules are not: see `loadImports`. */
export interface LoadedApp {
  readonly app: App;
  readonly configPath: string;
  readonly importer: Importer;
  /** Who named the broker: `--broker`, an environment variable, or the config file. */
  readonly brokerFrom: string;
}

/**
 * Finds the config file, loads it and applies a broker from outside.
 * @throws ConfigError `Q2001` no config, `Q2002` it does not load, `Q2109` it exports no app, and what the config's own code throws
 */
export async function loadApp(options: LoadOptions, context: CliContext): Promise<LoadedApp> {
  const configPath = findConfig(context.cwd, options.config ?? variableOf(context.env, "Q_CONFIG"));
  const importer = await importerFor(configPath);
  const app = appOf(await importConfig(configPath, importer, context), configPath);
  return { app, configPath, importer, brokerFrom: await chooseBroker(app, options.broker, configPath, context) };
}

/** Loads the task modules. @throws ConfigError `Q2009`, `Q2002`, and what their own code throws */
export async function loadImports(loaded: LoadedApp, context: CliContext): Promise<readonly string[]> {
  return loaded.app.loadImports(async (file) => {
    try {
      return await loaded.importer(file);
    } catch (cause) {
      throw loadError(file, cause, context.cwd);
    }
  });
}

async function importConfig(configPath: string, importer: Importer, context: CliContext): Promise<unknown> {
  try {
    return await importer(configPath);
  } catch (cause) {
    throw loadError(configPath, cause, context.cwd);
  }
}

function appOf(module: unknown, configPath: string): App {
  const exported = module as { readonly app?: unknown; readonly default?: unknown } | null;
  const found = [exported?.app, exported?.default].find(isApp);
  if (found !== undefined) return found;
  throw new ConfigError("Q2109", `${configPath} exports no app`, { hint: "export const app = createApp({ ... })" });
}

/** By shape: the project may have another copy of the package than this command. */
function isApp(value: unknown): value is App {
  return (
    typeof value === "object" &&
    value !== null &&
    "createWorker" in value &&
    "loadImports" in value &&
    "sendTask" in value
  );
}

/** Variables of hosting platforms. They serve only when nobody named a broker on purpose. */
const platformVariables = ["REDIS_URL", "AMQP_URL", "CLOUDAMQP_URL"] as const;

async function chooseBroker(
  app: App,
  flag: string | undefined,
  configPath: string,
  context: CliContext,
): Promise<string> {
  const use = async (url: string, from: string): Promise<string> => {
    app.use({ broker: await brokerFromUrl(url, { from, configPath }) });
    return from;
  };
  if (flag !== undefined) return use(flag, "--broker");
  const named = variableOf(context.env, "Q_BROKER_URL");
  if (named !== undefined) return use(named, "Q_BROKER_URL");
  if (app.hasBroker) return "config";
  for (const name of platformVariables) {
    const url = variableOf(context.env, name);
    if (url !== undefined) return use(url, name);
  }
  return "nobody";
}
