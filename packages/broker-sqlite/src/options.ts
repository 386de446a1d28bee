import { resolve } from "node:path";
import { ConfigError, durationMs, type Duration } from "@q/core/broker";

export interface SqliteOptions {
  /** The database file; made with its folder when it is missing. Relative to the working directory. Default `.q/q.db`. */
  readonly path?: string;
  /**
   * What a sent message survives once `publish` has resolved. `full`: also a power failure. `normal`: the death of every process, not of the
   * machine; sending then does not wait for the disk. Default `full`.
   */
  readonly synchronous?: "full" | "normal";
  /** How long to wait while another process keeps the file locked, before giving up. Default `"5s"`. */
  readonly lockTimeout?: Duration;
}

/** The options, read. */
export interface Settings {
  /** Absolute. */
  readonly path: string;
  /** The file for people: `sqlite:.q/q.db`. */
  readonly address: string;
  readonly durable: boolean;
  readonly lockTimeoutMs: number;
}

const scheme = "sqlite:";
const known: readonly string[] = ["path", "synchronous", "lockTimeout"] satisfies (keyof SqliteOptions)[];

/**
 * Reads options, or a URL that holds them: `sqlite:.q/q.db`, `sqlite:/var/lib/app/q.db?synchronous=normal`.
 * @throws ConfigError `Q2010` not a duration, `Q2011` unknown option, `Q2021` not a path, `Q2022` another value that does not fit
 */
export function readOptions(urlOrOptions: string | SqliteOptions): Settings {
  const options = typeof urlOrOptions === "string" ? optionsOf(urlOrOptions) : urlOrOptions;
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new ConfigError("Q2011", `the SQLite broker has an unknown option "${name}"`, {
      details: { known: known.join(", ") },
    });
  }
  const { path = ".q/q.db", synchronous = "full", lockTimeout = "5s" } = options;
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw new ConfigError("Q2021", `expected path to be the path of a file, got ${JSON.stringify(path)}`);
  }
  if (path === ":memory:") {
    throw new ConfigError("Q2021", "expected path to be the path of a file, got a database in memory", {
      hint: 'for tests there is a broker in memory: import { memoryBroker } from "@q/core/testing"',
    });
  }
  if (synchronous !== "full" && synchronous !== "normal") {
    throw new ConfigError("Q2022", `expected synchronous to be "full" or "normal", got ${JSON.stringify(synchronous)}`);
  }
  return {
    path: resolve(path),
    address: scheme + path,
    durable: synchronous === "full",
    lockTimeoutMs: durationMs(lockTimeout, "lockTimeout"),
  };
}

/** Everything after the colon is the path, so that it reads as it would in a shell; only `%` and `?` are special. */
function optionsOf(url: string): SqliteOptions {
  if (!url.startsWith(scheme))
    throw new ConfigError("Q2021", `expected a URL like sqlite:.q/q.db, got one that does not begin with ${scheme}`);
  const [, place = "", query = ""] = /^([^?]*)\??(.*)$/s.exec(url.slice(scheme.length)) ?? [];
  const parameters = Object.fromEntries(new URLSearchParams(query));
  if ("path" in parameters)
    throw new ConfigError("Q2011", 'the URL of a SQLite broker has an unknown parameter "path"');
  const path = pathOf(place);
  // The parameters are checked by `readOptions`, like options from plain JavaScript.
  return path === "" ? parameters : { ...parameters, path };
}

function pathOf(place: string): string {
  const withoutHost = place.startsWith("///") ? place.slice(2) : place;
  if (withoutHost.startsWith("//")) {
    // What stands there is not repeated: in the URL of another store it would be a password.
    throw new ConfigError("Q2021", `expected a path after ${scheme}, got a host name`, {
      hint: `${scheme}.q/q.db is relative to the working directory, ${scheme}/var/lib/q.db is absolute`,
    });
  }
  try {
    return decodeURIComponent(withoutHost);
  } catch (cause) {
    throw new ConfigError("Q2021", `expected %XX escapes in "${place}" to be UTF-8`, {
      hint: "write a percent sign as %25",
      cause,
    });
  }
}
