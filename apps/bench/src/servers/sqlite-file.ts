import { mkdtempSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import type { BenchServer, ServerCounters } from "../bench-server.ts";
import type { FilePlace } from "../peer.ts";

/** No server: a folder on the disk, and a file in it that each process opens by itself. */
export class SqliteFile implements BenchServer {
  readonly #folder = mkdtempSync(join(tmpdir(), "q-bench-"));

  static start(): Promise<SqliteFile> {
    return Promise.resolve(new SqliteFile());
  }

  get place(): FilePlace {
    return { file: join(this.#folder, "bench.db"), queue: "bench" };
  }

  describe(): Promise<string> {
    const database = new DatabaseSync(":memory:");
    const { version } = database.prepare("SELECT sqlite_version() AS version").get() as { version: string }; // a text
    database.close();
    // q takes the one of Node, where there is one.
    const { sqlite = version } = process.versions;
    return Promise.resolve(sqlite === version ? `SQLite ${version}` : `SQLite ${version}, for q ${sqlite}`);
  }

  /** What it costs, it costs the processes of the peers. */
  counters(): Promise<ServerCounters> {
    return Promise.resolve({});
  }

  async clear(): Promise<void> {
    await rm(this.#folder, { recursive: true });
    await mkdir(this.#folder);
  }

  async stop(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
