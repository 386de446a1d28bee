import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  silentLogger,
  type BrokerMessage,
  type Delivery,
  type LogFields,
  type Logger,
  type OutgoingMessage,
} from "@q/core/broker";
import { onTestFinished } from "vitest";
import type { Internals } from "../src/open-broker.ts";
import { readOptions, type SqliteOptions } from "../src/options.ts";
import { SqliteBroker } from "../src/sqlite-broker.ts";
import { loadSqliteDriver, type SqliteDatabase } from "../src/sqlite-driver.ts";
import { oldestDriver } from "./oldest-driver.ts";

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "q-sqlite-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A path where no database is yet. */
export function temporaryFile(): string {
  return join(temporaryFolder(), "q.db");
}

/** An open broker that closes when the test ends. */
export async function openBroker(
  path: string,
  options: {
    readonly settings?: SqliteOptions;
    readonly internals?: Partial<Internals>;
    readonly logger?: Logger;
  } = {},
): Promise<SqliteBroker> {
  const internals = { driver: await oldestDriver(), ...options.internals };
  const broker = new SqliteBroker(readOptions({ path, ...options.settings }), internals);
  onTestFinished(() => broker.close());
  await broker.open({ logger: options.logger ?? silentLogger });
  return broker;
}

/** The file as another program opens it. */
export async function openRaw(path: string): Promise<SqliteDatabase> {
  const database = (await loadSqliteDriver()).open(path);
  database.exec("PRAGMA busy_timeout = 2000");
  let isOpen = true;
  const close = (): void => {
    if (isOpen) database.close();
    isOpen = false;
  };
  onTestFinished(close);
  return { exec: (sql) => database.exec(sql), prepare: (sql) => database.prepare(sql), close };
}

/** Counts rows in another connection. */
export function countRows(database: SqliteDatabase, from: string): number {
  // count(*) is a number.
  return (database.prepare(`SELECT count(*) AS count FROM ${from}`).get() as { count: number }).count;
}

export function message(label: string, changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    id: label,
    queue: "default",
    priority: 0,
    headers: { task: "test" },
    properties: { contentType: "application/json", contentEncoding: "utf-8" },
    body: Buffer.from(label),
    ...changes,
  };
}

export function messages(count: number, changes: Partial<OutgoingMessage> = {}): OutgoingMessage[] {
  return Array.from({ length: count }, (_, index) => message(`m${index + 1}`, changes));
}

/** The next `count` deliveries of a queue. Its consumer has stopped when they are there. */
export async function take(broker: SqliteBroker, count: number, queue = "default"): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  if (count === 0) return deliveries;
  let enough = (): void => undefined;
  const arrived = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const consumer = await broker.consume([queue], { prefetch: count }, (delivery) => {
    if (deliveries.push(delivery) === count) enough();
  });
  await arrived;
  await consumer.stop();
  return deliveries;
}

export function wellFormed({ message: found }: Pick<Delivery, "message">): BrokerMessage {
  if ("malformed" in found) throw new Error(`expected a message, got something malformed: ${found.malformed}`);
  return found;
}

/** Waits until `check` is true. */
export async function eventually(check: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${check.toString()}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** Keeps what was logged, a line each: level and text. */
export class MemoryLogger implements Logger {
  readonly lines: string[] = [];

  debug(_fields: LogFields, text: string): void {
    this.lines.push(`debug ${text}`);
  }

  info(_fields: LogFields, text: string): void {
    this.lines.push(`info ${text}`);
  }

  warn(_fields: LogFields, text: string): void {
    this.lines.push(`warn ${text}`);
  }

  error(_fields: LogFields, text: string): void {
    this.lines.push(`error ${text}`);
  }

  child(): Logger {
    return this;
  }
}
