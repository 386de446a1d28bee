import { BrokerError, type Clock, type Logger } from "@q/core/broker";
import { cannotOpen, checkVersion, notAQueue, prepareDatabaseFile } from "./database-file.ts";
import { LockWait } from "./lock-wait.ts";
import { applicationId, migrations } from "./schema.ts";
import type { SqliteDatabase, SqliteDriver, SqliteStatement, SqliteValue } from "./sqlite-driver.ts";
import { isBusy, isForbidden, isNotADatabase, toBrokerError } from "./sqlite-error.ts";

export interface ConnectionOptions {
  /** Absolute path of the database file. */
  readonly path: string;
  /** The file for people, in errors. */
  readonly address: string;
  readonly driver: SqliteDriver;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Longest wait for another process's lock. Milliseconds. */
  readonly lockTimeoutMs: number;
}

/** With an older SQLite, two processes that write and checkpoint can corrupt the file (https://sqlite.org/wal.html). */
const walResetFixedIn = [3, 51, 3] as const;

/** One open database file, with its prepared statements. */
export class Connection {
  readonly path: string;
  readonly address: string;
  readonly #database: SqliteDatabase;
  readonly #options: ConnectionOptions;
  readonly #statements = new Map<string, SqliteStatement>();
  #durable: boolean | undefined;
  #open = true;

  private constructor(database: SqliteDatabase, options: ConnectionOptions) {
    this.#database = database;
    this.#options = options;
    this.path = options.path;
    this.address = options.address;
  }

  /**
   * Opens the file, making it where there is none, and brings its tables to the newest version.
   * @throws BrokerError `Q1001`, `Q1006` to `Q1009`, `Q1011`, `Q1012`
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { path, address, driver } = options;
    prepareDatabaseFile(path, address);
    let database: SqliteDatabase;
    try {
      database = driver.open(path);
    } catch (cause) {
      throw cannotOpen(address, cause);
    }
    const connection = new Connection(database, options);
    try {
      await connection.#prepare();
      return connection;
    } catch (error) {
      connection.close();
      if (isNotADatabase(error)) throw notAQueue(address, "is not a SQLite database", error);
      if (isForbidden(error)) throw cannotOpen(address, error);
      throw toBrokerError(error, address);
    }
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Runs a statement that answers nothing; tells how many rows it changed, those that triggers changed not counted. */
  run(sql: string, ...parameters: readonly SqliteValue[]): number {
    return Number(this.#statement(sql).run(...parameters).changes);
  }

  /** The first row. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- says what the SELECT beside it yields
  get<Row>(sql: string, ...parameters: readonly SqliteValue[]): Row | undefined {
    // The caller names the columns that its own SELECT has, of the types that the schema enforces.
    return this.#statement(sql).get(...parameters) as Row | undefined;
  }

  all<Row>(sql: string, ...parameters: readonly SqliteValue[]): Row[] {
    // As in `get`.
    return this.#statement(sql).all(...parameters) as Row[];
  }

  /** Begins to write. With `durable` the COMMIT waits until the disk has it. Throws SQLITE_BUSY at once when another connection writes. */
  begin(durable: boolean): void {
    if (this.#durable !== durable) {
      this.#database.exec(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
      this.#durable = durable;
    }
    this.run("BEGIN IMMEDIATE");
  }

  commit(): void {
    this.run("COMMIT");
  }

  rollback(): void {
    try {
      this.run("ROLLBACK");
    } catch {
      // SQLite has already rolled back by itself, as it does when the disk is full.
    }
  }

  /** Runs reads that see the same moment. Waits while the file is locked, which in WAL mode is rare and short. */
  async read<T>(reads: () => T): Promise<T> {
    try {
      return await this.#patiently(() => this.#atOneMoment(reads));
    } catch (error) {
      throw toBrokerError(error, this.address);
    }
  }

  /**
   * Moves what the write-ahead log holds into the database file and cuts the log, where nobody stands in the way. SQLite does it when the
   * last connection closes; with @photostructure/sqlite a connection only closes when its statements are garbage-collected.
   */
  checkpoint(): void {
    this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#statements.clear();
    this.#database.close();
  }

  #statement(sql: string): SqliteStatement {
    if (!this.#open) throw notOpen(this.address);
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  async #prepare(): Promise<void> {
    // A busy timeout of SQLite's own would hold up the JavaScript thread for as long as somebody has the lock.
    this.#database.exec("PRAGMA busy_timeout = 0; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0");
    await this.#patiently(() => this.#atOneMoment(() => this.#checkOwner()));
    const mode = await this.#patiently(() => this.get<{ journal_mode: string }>("PRAGMA journal_mode = WAL"));
    if (mode?.journal_mode !== "wal")
      throw new BrokerError("Q1009", `${this.address} is on a file system where SQLite cannot keep a write-ahead log`);
    await this.#patiently(() => this.#migrate());
    this.#warnAboutOldSqlite();
  }

  /** The newest header may still be in the write-ahead log, where `prepareDatabaseFile` could not see it. */
  #checkOwner(): void {
    const version = this.#pragma("user_version");
    const application = this.#pragma("application_id");
    checkVersion({ version, application }, this.address);
    // Reading the first page also shows whether the file is damaged.
    const hasTables = this.get("SELECT 1 FROM sqlite_schema LIMIT 1") !== undefined;
    if (application === 0 && hasTables) throw notAQueue(this.address, "is a database of another program");
  }

  #migrate(): void {
    if (this.#pragma("user_version") === migrations.length) return;
    this.begin(true);
    try {
      // Read again under the lock: another process may have done it meanwhile.
      const version = this.#pragma("user_version");
      checkVersion(
        { version, application: version === 0 ? applicationId : this.#pragma("application_id") },
        this.address,
      );
      for (const step of migrations.slice(version)) this.#database.exec(step);
      this.#database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`);
      this.commit();
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  #pragma(name: "user_version" | "application_id"): number {
    return this.get<Record<typeof name, number>>(`PRAGMA ${name}`)?.[name] ?? 0;
  }

  #warnAboutOldSqlite(): void {
    const version = this.get<{ version: string }>("SELECT sqlite_version() AS version")?.version ?? "0";
    if (!isOlder(version.split(".").map(Number), walResetFixedIn)) return;
    this.#options.logger.warn(
      { sqlite: version, driver: this.#options.driver.name },
      `SQLite ${version} can corrupt a file that several processes write; use Node 22.23, 24.21 or newer, which have ${walResetFixedIn.join(".")} or newer`,
    );
  }

  #atOneMoment<T>(reads: () => T): T {
    this.run("BEGIN");
    try {
      return reads();
    } finally {
      this.rollback();
    }
  }

  async #patiently<T>(action: () => T): Promise<T> {
    const { clock, lockTimeoutMs } = this.#options;
    const deadline = clock.monotonic() + lockTimeoutMs;
    const wait = new LockWait(clock);
    for (;;) {
      try {
        return action();
      } catch (error) {
        if (!isBusy(error) || clock.monotonic() >= deadline) throw error;
      }
      await wait.pause();
    }
  }
}

/** The broker was not opened, or was closed. Code `Q1010`. */
export function notOpen(address: string): BrokerError {
  return new BrokerError("Q1010", `the broker on ${address} is not open`, { hint: "await broker.open() first" });
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  const first = than.findIndex((part, index) => (version[index] ?? 0) !== part);
  return first !== -1 && (version[first] ?? 0) < (than[first] ?? 0);
}
