import { BrokerError, silentLogger, systemClock, type Logger } from "@q/core/broker";
import { RedisServer, type RedisServerOptions } from "@q/test-servers";
import { expect, onTestFinished } from "vitest";
import { Connection } from "../src/connection.ts";
import { readOptions, type RedisOptions } from "../src/options.ts";
import { OutageLog } from "../src/outage-log.ts";

/** A connection that closes when the test ends. */
export async function connect(
  options: RedisOptions,
  logger: Logger = silentLogger,
  outages: OutageLog = new OutageLog(logger),
): Promise<Connection> {
  const connection = await Connection.open({ settings: readOptions(options), clock: systemClock, logger, outages });
  onTestFinished(() => connection.close());
  return connection;
}

/** What connecting fails with, and after how long. */
export async function failure(
  options: RedisOptions,
): Promise<{ readonly error: BrokerError; readonly tookMs: number }> {
  const startedAt = performance.now();
  const error: unknown = await connect(options).catch((caught: unknown) => caught);
  if (!(error instanceof BrokerError)) throw new Error("expected a BrokerError", { cause: error });
  expect(error.hint).toBeDefined();
  return { error, tookMs: performance.now() - startedAt };
}

/** A server that stops when the test ends. */
export async function startServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  onTestFinished(() => server.stop());
  return server;
}
