/** A file that `q init` writes. */
export interface ScaffoldFile {
  /** Relative to the project. */
  readonly path: string;
  readonly content: string;
}

const config = `import { createApp } from "@q/core";
import { sqlite } from "@q/broker-sqlite";

export const app = createApp({
  // One file, no server. Several hosts need redis or amqp instead: the rest stays as it is.
  broker: sqlite("sqlite:.q/q.db"),
  queues: ["default"],
  imports: ["./src/tasks/*.ts"],
});
`;

const task = `import { retry } from "@q/core";
import { app } from "../../q.config.js";

export const hello = app.instrumentedTask(
  { name: "hello", maxRetries: 3, defaultRetryDelay: "10s", retry: retry() },
  async ({ name }: { name: string }, ctx) => {
    ctx.logger.info({}, \`hello \${name}\`);
  },
);
`;

/** The smallest project that runs. */
export const scaffold: readonly ScaffoldFile[] = [
  { path: "q.config.ts", content: config },
  { path: "src/tasks/hello.ts", content: task },
  // The folder of the SQLite file keeps itself out of version control.
  { path: ".q/.gitignore", content: "*\n" },
];
