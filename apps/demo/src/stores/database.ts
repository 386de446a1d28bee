import { databaseErrorOf } from "./database-error.ts";

export type SqlValue = null | number | string;
export type Row = Readonly<Record<string, SqlValue>>;

/** The part of Node's own SQLite (`DatabaseSync`) that this program uses. */
interface Driver {
  exec(sql: string): void;
  prepare(sql: string): {
    get(...values: SqlValue[]): unknown;
    all(...values: SqlValue[]): unknown[];
    run(...values: SqlValue[]): unknown;
  };
  close(): void;
}
type DriverClass = new (file: string) => Driver;

/** One SQLite file. Every method blocks, for as long as the file is locked by others: at most `patienceMs`. */
export class Database {
  readonly #driver: Driver;
  readonly #statements: Map<string, ReturnType<Driver["prepare"]>> = new Map();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** @throws DatabaseUnavailable, SchemaError */
  exec(sql: string): void {
    guarded(() => this.#driver.exec(sql));
  }

  /** @throws DatabaseUnavailable, SchemaError */
  all(sql: string, ...values: SqlValue[]): readonly Row[] {
    // True: without further settings the driver answers rows as objects of SQLite's values.
    return guarded(() => this.#statement(sql).all(...values) as Row[]);
  }

  /** The first row. @throws DatabaseUnavailable, SchemaError */
  get(sql: string, ...values: SqlValue[]): Row | undefined {
    // True: see `all`.
    return guarded(() => this.#statement(sql).get(...values) as Row | undefined);
  }

  /** @throws DatabaseUnavailable, SchemaError */
  run(sql: string, ...values: SqlValue[]): void {
    guarded(() => this.#statement(sql).run(...values));
  }

  /** Runs `work` as one transaction that has the write lock from its start: all of it happens, or nothing. */
  transaction<Result>(work: () => Result): Result {
    this.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.exec("COMMIT");
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#driver.close();
  }

  #rollBack(): void {
    try {
      this.#driver.exec("ROLLBACK");
    } catch {
      // After a full disk or an I/O error SQLite has rolled back by itself; the error that matters is on its way up.
    }
  }

  #statement(sql: string): ReturnType<Driver["prepare"]> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#driver.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/**
 * Opens an SQLite file, made when absent, for use by several processes.
 * @param options.patienceMs how long a call waits for another process's lock
 * @throws DatabaseUnavailable
 */
export async function openDatabase(file: string, options: { readonly patienceMs: number }): Promise<Database> {
  const DatabaseSync = await driverClass();
  const database = new Database(guarded(() => new DatabaseSync(file)));
  // While the file is switched to WAL for the first time it is locked for longer than a task would wait.
  database.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  database.exec(`PRAGMA busy_timeout = ${options.patienceMs}`);
  return database;
}

/** Node's own from 22.13, a package with the same interface before. */
async function driverClass(): Promise<DriverClass> {
  const builtIn = process.getBuiltinModule?.("node:sqlite");
  // True: both classes have the methods of Driver, by Node's documentation and the package's types.
  if (builtIn !== undefined) return (builtIn as unknown as { DatabaseSync: DriverClass }).DatabaseSync;
  const { DatabaseSync } = await import("@photostructure/sqlite");
  return DatabaseSync;
}

function guarded<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw databaseErrorOf(error);
  }
}
