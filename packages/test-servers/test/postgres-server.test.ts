import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { isInstalled, PostgresServer } from "../src/index.ts";
import { programPath } from "../src/installed.ts";

beforeEach(({ skip }) => {
  skip(!isInstalled("postgres"), "no PostgreSQL here: apt-get install postgresql");
});

async function startServer(): Promise<PostgresServer> {
  const server = await PostgresServer.start();
  onTestFinished(() => server.stop());
  return server;
}

/** One value, as text. */
async function query(server: PostgresServer, sql: string): Promise<string> {
  const psql = programPath("psql") ?? "psql";
  const { stdout } = await promisify(execFile)(psql, [
    "-X",
    "-q",
    "-t",
    "-A",
    "-v",
    "ON_ERROR_STOP=1",
    "-c",
    sql,
    server.url,
  ]);
  return stdout.trim();
}

test("a started server takes connections on its port, and waits for the disk as by default", async () => {
  const server = await startServer();
  expect(await query(server, "SHOW port")).toBe(String(server.port));
  expect(await query(server, "SHOW fsync")).toBe("on");
  expect(await query(server, "SHOW synchronous_commit")).toBe("on");
});

test("two servers do not get in each other's way", async () => {
  const servers = await Promise.all([startServer(), startServer()]);
  await Promise.all(servers.map((server, index) => query(server, `CREATE TABLE mine AS SELECT ${index} AS value`)));
  expect(await Promise.all(servers.map((server) => query(server, "SELECT value FROM mine")))).toEqual(["0", "1"]);
});

test("a stopped server is gone with its files, also when somebody is connected", async () => {
  const server = await startServer();
  const waiting = query(server, "SELECT pg_sleep(60)").catch((error: unknown) => String(error));
  await expect
    .poll(() => query(server, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'"))
    .toBe("1");
  await server.stop();
  await expect(query(server, "SELECT 1")).rejects.toThrow("refused");
  expect(await waiting).toContain("terminat");
  expect(existsSync(server.dir)).toBe(false);
  await server.stop();
});
