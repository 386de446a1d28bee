import { sqlite } from "@q/broker-sqlite";
import { createApp } from "@q/core";
import type { App } from "@q/core";
import { queueFile } from "./src/folder.ts";

/** The app of the demo: the service sends its tasks, `q worker` runs them. */
export const app: App = createApp({
  broker: sqlite(`sqlite:${queueFile}`),
  queues: ["default", "important_queue"],
  imports: ["./src/tasks/*.ts"],
});

export default app;
