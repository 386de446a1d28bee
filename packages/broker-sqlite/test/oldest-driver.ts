import { loadSqliteDriver, type SqliteDriver } from "../src/sqlite-driver.ts";

/** Refuses what the SQLite of Node 22.13 cannot do, and the present one can: values for numbered parameters. */
export async function oldestDriver(): Promise<SqliteDriver> {
  const driver = await loadSqliteDriver();
  return {
    name: driver.name,
    open(path) {
      const database = driver.open(path);
      return {
        exec: (sql) => database.exec(sql),
        close: () => database.close(),
        prepare(sql) {
          if (/\?\d/.test(sql)) throw new Error(`a numbered parameter: ${sql}`);
          return database.prepare(sql);
        },
      };
    },
  };
}
