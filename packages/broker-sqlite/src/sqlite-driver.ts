import { BrokerError } from "@q/core/broker";

/** What SQLite can store and what it answers with. Integers beyond 2^53 make the driver throw. */
export type SqliteValue = null | number | bigint | string | Uint8Array;

/**
 * A prepared statement: the part of Node's `StatementSync` that this package uses. Before Node 22.20 and 24.7 a numbered parameter such as `?1` counts as
 * named and gets no value, so all are plain `?`.
 */
export interface SqliteStatement {
  run(...parameters: readonly SqliteValue[]): { readonly changes: number | bigint };
  get(...parameters: readonly SqliteValue[]): unknown;
  all(...parameters: readonly SqliteValue[]): unknown[];
}

/** An open database: the part of Node's `DatabaseSync` that this package uses. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

/** Opens database files. */
export interface SqliteDriver {
  /** The module it comes from, for the log. */
  readonly name: string;
  open(path: string): SqliteDatabase;
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string) => SqliteDatabase;
}

/**
 * The SQLite that comes with Node (22.13 or newer), else the package `@photostructure/sqlite`, which has the same interface.
 * @throws BrokerError `Q1005` when there is neither
 */
export async function loadSqliteDriver(): Promise<SqliteDriver> {
  const builtin = builtinSqlite();
  if (builtin !== undefined) return driverOf("node:sqlite", builtin);
  const name = "@photostructure/sqlite";
  try {
    // Its `DatabaseSync` is declared with wider parameters; the part named above is the same.
    return driverOf(name, (await import(name)) as SqliteModule);
  } catch (cause) {
    throw new BrokerError(
      "Q1005",
      `Node ${process.versions.node} has no SQLite of its own and the package ${name} could not be loaded`,
      {
        hint: `npm install ${name}, or run Node 22.13 or newer`,
        cause,
      },
    );
  }
}

function builtinSqlite(): SqliteModule | undefined {
  // Older versions of Node 20 have no such function, and @types/node does not know the module.
  const getBuiltin = process.getBuiltinModule as ((id: string) => unknown) | undefined;
  return withoutWarnings(() => getBuiltin?.("node:sqlite") as SqliteModule | undefined);
}

/**
 * Node 22 warns, while it loads its SQLite, that the interface may change. Newer versions have it unchanged and are silent, and a warning in
 * the output of every command would help nobody.
 */
function withoutWarnings<T>(load: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

function driverOf(name: string, { DatabaseSync }: SqliteModule): SqliteDriver {
  return { name, open: (path) => new DatabaseSync(path) };
}
