import type { BenchServer } from "./bench-server.ts";
import type { FieldName } from "./field-name.ts";
import { RabbitBenchServer } from "./servers/rabbit-server.ts";
import { RedisBenchServer } from "./servers/redis-server.ts";
import { SqliteFile } from "./servers/sqlite-file.ts";

const starts: Readonly<Record<FieldName, () => Promise<BenchServer>>> = {
  redis: () => RedisBenchServer.start(),
  "amqp-quorum": () => RabbitBenchServer.start(),
  "amqp-classic": () => RabbitBenchServer.start(),
  sqlite: () => SqliteFile.start(),
};

/** Resolves when it takes connections. @throws Error when it is not installed, or does not start */
export function startServer(field: FieldName): Promise<BenchServer> {
  return starts[field]();
}
