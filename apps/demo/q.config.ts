import { sqlite } from "@q/broker-sqlite";
import { createApp } from "@q/core";
import type { App } from "@q/core";
import { queueFile } from "./src/folder.ts";

/** The app of the demo: the service sends its tasks, `q cron` one of them by itself, `q worker` runs them. */
export const app: App = createApp({
  broker: sqlite(`sqlite:${queueFile}`),
  queues: ["default", "important_queue"],
  imports: ["./src/tasks/*.ts"],
  schedule: {
    // Far too often for the purpose, so that a run of a few seconds has ticks.
    "expire-events": { task: "events.expire", every: "1s", missed: "all" },
  },
});

export default app;
