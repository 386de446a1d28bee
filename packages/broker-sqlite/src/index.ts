import type { Broker, BrokerFactory } from "@q/core/broker";
import { readOptions, type SqliteOptions } from "./options.ts";
import { SqliteBroker } from "./sqlite-broker.ts";

export type { SqliteOptions } from "./options.ts";

/** Makes brokers on SQLite files. Answers to `sqlite:` URLs. */
export interface SqliteFactory extends BrokerFactory {
  /**
   * A broker on one file, without I/O yet.
   * @param urlOrOptions a URL such as `sqlite:.q/q.db` (relative to the working directory) or `sqlite:/var/lib/app/q.db?synchronous=normal`,
   * whose parameters are those of the options. Default `sqlite:.q/q.db`
   * @throws ConfigError `Q2010` not a duration, `Q2011` unknown option or parameter, `Q2021` not a path, `Q2022` another value that does not fit
   */
  (urlOrOptions?: string | SqliteOptions): Broker;
}

export const sqlite: SqliteFactory = Object.assign(
  (urlOrOptions: string | SqliteOptions = {}): Broker => new SqliteBroker(readOptions(urlOrOptions)),
  { schemes: ["sqlite:"] },
);
