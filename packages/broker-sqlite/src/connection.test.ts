import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { silentLogger, systemClock } from "@q/core/broker";
import { describe, expect, test } from "vitest";
import { MemoryLogger, openBroker, openRaw, temporaryFile, temporaryFolder } from "../test/temporary.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { loadSqliteDriver } from "./sqlite-driver.ts";

async function open(path: string, changes: Partial<ConnectionOptions> = {}): Promise<Connection> {
  const driver = await loadSqliteDriver();
  const address = `sqlite:${path}`;
  return Connection.open({
    path,
    address,
    driver,
    clock: systemClock,
    logger: silentLogger,
    lockTimeoutMs: 300,
    ...changes,
  });
}

function fingerprint(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** Whether this process has a lock on a file, by proc_locks(5). */
function isLockedHere(path: string): boolean {
  const locks = readFileSync("/proc/locks", "utf8").split("\n");
  return locks.some((line) => line.includes(` ${process.pid} `) && line.includes(`:${statSync(path).ino} `));
}

/** Opening must fail with this code, and leave the folder as it is. */
async function expectRefused(path: string, code: string): Promise<void> {
  const before = { files: readdirSync(dirname(path)), content: fingerprint(path), changed: statSync(path).mtimeMs };
  await expect(open(path)).rejects.toMatchObject({ name: "BrokerError", code });
  expect({ files: readdirSync(dirname(path)), content: fingerprint(path), changed: statSync(path).mtimeMs }).toEqual(
    before,
  );
}

describe("opening a file", () => {
  test("makes the folder and a file that only its owner may read", async () => {
    const path = join(temporaryFolder(), "deep", "er", "q.db");
    (await open(path)).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("gives nobody else a right to the files beside it", async () => {
    const path = temporaryFile();
    const broker = await openBroker(path);
    await broker.control.broadcast("rings", {});
    const files = readdirSync(dirname(path)).toSorted();
    expect(files).toEqual(["q.db", "q.db-ballast", "q.db-bell", "q.db-shm", "q.db-wal"]);
    for (const file of files) expect(statSync(join(dirname(path), file)).mode & 0o077).toBe(0);
  });

  test("a second time finds everything as it was", async () => {
    const path = temporaryFile();
    const first = await open(path);
    first.run("INSERT INTO queue (name) VALUES ('kept')");
    first.close();
    const second = await open(path);
    expect(second.get("SELECT name FROM queue")).toEqual({ name: "kept" });
    second.close();
  });

  test("an empty file is a new one", async () => {
    const path = temporaryFile();
    writeFileSync(path, "");
    const connection = await open(path);
    expect(connection.get("SELECT count(*) AS count FROM message")).toEqual({ count: 0 });
    connection.close();
  });

  test("many at once on a new file all succeed", async () => {
    const path = temporaryFile();
    const connections = await Promise.all(Array.from({ length: 8 }, () => open(path, { lockTimeoutMs: 5000 })));
    expect(connections[7]?.get("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" });
    for (const connection of connections) connection.close();
  });

  test("once more leaves the locks of this process in place, without which another one may delete the log", async (context) => {
    if (!existsSync("/proc/locks")) {
      context.skip("only Linux tells who has which locks");
      return;
    }
    const path = temporaryFile();
    const first = await open(path);
    expect(isLockedHere(path)).toBe(true);
    const second = await open(path);
    expect(isLockedHere(path)).toBe(true);
    second.close();
    (await open(path)).close();
    expect(isLockedHere(path)).toBe(true);
    first.close();
  });

  test("a file of a newer version is refused and not touched", async () => {
    const path = temporaryFile();
    (await open(path)).close();
    const raw = await openRaw(path);
    raw.exec("PRAGMA user_version = 99");
    raw.close();
    await expectRefused(path, "Q1008");
  });

  test("a newer version that still stands in the write-ahead log is refused as well", async () => {
    const path = temporaryFile();
    (await open(path)).close();
    const raw = await openRaw(path);
    raw.exec("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 99");
    expect(existsSync(`${path}-wal`)).toBe(true);
    await expect(open(path)).rejects.toMatchObject({ code: "Q1008" });
  });

  test.each([
    ["a text", "once upon a time"],
    ["a long text", "once upon a time\n".repeat(1000)],
    ["a few zeros", "\0\0\0\0"],
    ["the beginning of a database", "SQLite format 3\0"],
  ])("a file that is no database is refused and not touched: %s", async (_what, content) => {
    const path = temporaryFile();
    writeFileSync(path, content);
    await expectRefused(path, "Q1007");
  });

  test("a database with our header and garbage behind it is refused", async () => {
    const path = temporaryFile();
    const connection = await open(path);
    connection.checkpoint();
    connection.close();
    writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 100), Buffer.alloc(20_000, 0xa5)]));
    await expect(open(path)).rejects.toMatchObject({ name: "BrokerError", code: "Q1015" });
  });

  test("another program's database is refused and not touched", async () => {
    const path = temporaryFile();
    const raw = await openRaw(path);
    raw.exec("CREATE TABLE customer (name TEXT); INSERT INTO customer VALUES ('Ada')");
    raw.close();
    await expect(open(path)).rejects.toMatchObject({ code: "Q1007" });
    const again = await openRaw(path);
    expect(again.prepare("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "customer" }]);
    again.exec("PRAGMA user_version = 7");
    again.close();
    await expectRefused(path, "Q1007");
  });

  test("a folder in its place is an error that says so", async () => {
    const path = temporaryFile();
    mkdirSync(path);
    await expect(open(path)).rejects.toMatchObject({ code: "Q1001", message: expect.stringContaining(path) as string });
  });

  test("a folder that cannot be made is an error that says so", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    await expect(open(join(folder, "file", "q.db"))).rejects.toMatchObject({ code: "Q1001" });
  });

  test("a lock that somebody keeps is waited for, and then an error", async () => {
    const path = temporaryFile();
    const raw = await openRaw(path);
    raw.exec("PRAGMA journal_mode = WAL; BEGIN EXCLUSIVE");
    await expect(open(path, { lockTimeoutMs: 50 })).rejects.toMatchObject({ code: "Q1011" });
    const patient = open(path, { lockTimeoutMs: 5000 });
    raw.exec("ROLLBACK");
    (await patient).close();
  });

  test("an old SQLite is warned about", async () => {
    const logger = new MemoryLogger();
    const real = await loadSqliteDriver();
    const driver = {
      name: "old",
      open: (path: string) => {
        const database = real.open(path);
        return {
          exec: (sql: string) => database.exec(sql),
          close: () => database.close(),
          prepare: (sql: string) => database.prepare(sql.replace("sqlite_version()", "'3.45.1'")),
        };
      },
    };
    (await open(temporaryFile(), { driver, logger })).close();
    expect(logger.lines).toEqual([expect.stringMatching(/^warn SQLite 3\.45\.1 can corrupt/)]);
  });
});

test("reading on a closed connection says that the broker is not open", async () => {
  const connection = await open(temporaryFile());
  connection.close();
  connection.close();
  await expect(connection.read(() => connection.get("SELECT 1"))).rejects.toMatchObject({ code: "Q1010" });
});
