import type { App } from "@q/core";
import type { Broker, QueueInspector } from "@q/core/broker";
import { MissingPartError, TimeoutError } from "./cli-errors.ts";
import { readEnvFile } from "./env-file.ts";
import { switchFlag, valueFlag } from "./flag.ts";
import { loadApp, type LoadedApp } from "./load-app.ts";
import { flagDurationMs } from "./flag-values.ts";
import { QCommand } from "./q-command.ts";
import { refuseWhereReadOnly } from "./read-only.ts";
import { relativeFileWarning } from "./relative-file.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** A command that needs the user's app. */
export abstract class AppCommand extends QCommand {
  config: string | undefined = valueFlag(
    "-A,--config",
    "path",
    "the config file or its folder (default: q.config.ts, found upward)",
  );
  envFile: string | undefined = valueFlag("--env-file", "path", "read environment variables from this file first");
  broker: string | undefined = valueFlag("-b,--broker", "url", "use this broker instead of the config's");

  readonly #fromFile = new Set<string>();

  /** The environment without what `--env-file` has added: for other processes of this command line, which read the file as it is then. */
  protected get outerEnv(): Env {
    // As it is now: what was taken out of it meanwhile, such as the socket of systemd, is not for them either.
    return Object.fromEntries(Object.entries(this.context.env).filter(([name]) => !this.#fromFile.has(name)));
  }

  /** @throws ConfigError `Q2110` */
  override prepare(): void {
    if (this.envFile === undefined) return;
    const before = new Set(Object.keys(this.context.env));
    readEnvFile(this.envFile, this.context.cwd);
    for (const name of Object.keys(this.context.env)) if (!before.has(name)) this.#fromFile.add(name);
  }

  protected loadApp(): Promise<LoadedApp> {
    return loadApp({ config: this.config, broker: this.broker }, this.context);
  }
}

/** A command that asks the broker something and is done. */
export abstract class BrokerCommand extends AppCommand {
  timeout: string | undefined = valueFlag(
    "--timeout",
    "duration",
    "give up when there is no connection to the broker by then (default 30s)",
  );

  /**
   * Opens the app, does the work, closes it. `prepare` runs before anything is opened.
   * @throws TimeoutError `Q2108`, BrokerError
   */
  protected async withBroker<T>(
    work: (loaded: LoadedApp) => Promise<T>,
    prepare?: (loaded: LoadedApp) => Promise<void>,
  ): Promise<T> {
    const limitMs = flagDurationMs("--timeout", this.timeout) ?? 30_000;
    const loaded = await this.loadApp();
    await prepare?.(loaded);
    const warning = relativeFileWarning(loaded, this.context.cwd);
    if (warning !== undefined) this.output.warn(warning);
    await within(limitMs, loaded.app.open(), loaded.app);
    try {
      return await work(loaded);
    } finally {
      await loaded.app.close();
    }
  }
}

/** A command that changes what is in the broker. Refused where `Q_READ_ONLY` is set. */
export abstract class ChangingCommand extends BrokerCommand {
  /** @throws RefusedError `Q2119`, TimeoutError `Q2108`, BrokerError */
  protected override withBroker<T>(work: (loaded: LoadedApp) => Promise<T>): Promise<T> {
    return super.withBroker(work, async () => {
      if (!this.onlyLooks()) refuseWhereReadOnly(this.context.env);
    });
  }

  /** Whether this call changes nothing after all. */
  protected onlyLooks(): boolean {
    return false;
  }
}

/** A command that deletes or moves messages, and asks first. */
export abstract class AskingCommand extends ChangingCommand {
  yes: boolean = switchFlag("-y,--yes", "do not ask");
  noInput: boolean = switchFlag("--no-input", "never ask; refuse instead");
  dryRun: boolean = switchFlag("--dry-run", "say what would be done, and do nothing");

  protected override onlyLooks(): boolean {
    return this.dryRun;
  }
}

/**
 * The inspector of a broker that has one.
 * @throws MissingPartError `Q2107`
 */
export function inspectorOf(broker: Broker): QueueInspector {
  if (broker.inspector !== undefined) return broker.inspector;
  throw new MissingPartError(
    "Q2107",
    `the ${broker.name} broker has no inspector: it cannot count, list, pause, purge or put back messages`,
    {
      hint: "use the tools that come with the broker itself",
    },
  );
}

async function within<T>(limitMs: number, work: Promise<T>, app: App): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const where = app.broker.address;
      reject(
        new TimeoutError("Q2108", `${where} has not answered within ${limitMs} ms`, {
          hint: "is it reachable from here? --timeout waits longer",
        }),
      );
    }, limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
