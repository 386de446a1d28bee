import { PostgresServer } from "@q/test-servers";
import { Client } from "pg";
import type { BenchServer, ServerCounters } from "../bench-server.ts";
import type { FilePlace, Place } from "../peer.ts";
import { SqliteFile } from "./sqlite-file.ts";

/** Of the peers; each makes its own again. */
const dropSchemas = "DROP SCHEMA IF EXISTS graphile_worker, pgboss CASCADE";

/** PostgreSQL as it is by default, and on the same disk a file for q, which has no broker on PostgreSQL. */
export class PostgresBenchServer implements BenchServer {
  readonly #server: PostgresServer;
  readonly #client: Client;
  readonly #file: SqliteFile;

  private constructor(server: PostgresServer, client: Client, file: SqliteFile) {
    this.#server = server;
    this.#client = client;
    this.#file = file;
  }

  static async start(): Promise<PostgresBenchServer> {
    const server = await PostgresServer.start();
    try {
      const client = new Client(server.url);
      await client.connect();
      return new PostgresBenchServer(server, client, await SqliteFile.start());
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get place(): Place & FilePlace {
    const { host, port } = this.#server;
    return { ...this.#file.place, host, port };
  }

  async describe(): Promise<string> {
    const { rows } = await this.#client.query<{ server_version: string }>("SHOW server_version");
    return `PostgreSQL ${rows[0]?.server_version ?? "of an unknown version"}, ${await this.#file.describe()}`;
  }

  /** Each connection is a process of its own, and q has no server to compare with. */
  counters(): Promise<ServerCounters> {
    return Promise.resolve({});
  }

  async clear(): Promise<void> {
    await this.#client.query(dropSchemas);
    await this.#file.clear();
  }

  async stop(): Promise<void> {
    await this.#client.end().catch(() => undefined);
    await this.#server.stop();
    await this.#file.stop();
  }
}
