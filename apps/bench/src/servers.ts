import { isInstalled } from "@q/test-servers";
import type { BenchServer } from "./bench-server.ts";
import type { FieldName } from "./field-name.ts";
import { PostgresBenchServer } from "./servers/postgres-server.ts";
import { RabbitBenchServer } from "./servers/rabbit-server.ts";
import { RedisBenchServer } from "./servers/redis-server.ts";
import { SqliteFile } from "./servers/sqlite-file.ts";

const starts: Readonly<Record<FieldName, () => Promise<BenchServer>>> = {
  redis: () => RedisBenchServer.start(),
  "amqp-quorum": () => RabbitBenchServer.start(),
  "amqp-classic": () => RabbitBenchServer.start(),
  sqlite: () => SqliteFile.start(),
  postgres: () => PostgresBenchServer.start(),
};

/** Programs without which a field is left out. No package of q needs them, so not everybody who works on it has them. */
const optionalPrograms: Partial<Record<FieldName, string>> = { postgres: "postgres" };

/** The program that a field is left out for. */
export function missingProgram(field: FieldName): string | undefined {
  const program = optionalPrograms[field];
  return program === undefined || isInstalled(program) ? undefined : program;
}

/** Resolves when it takes connections. @throws Error when it is not installed, or does not start */
export function startServer(field: FieldName): Promise<BenchServer> {
  return starts[field]();
}
