import { expect, test } from "vitest";
import { silentLogger } from "../logger.ts";
import { guarded, type EventListener, type WorkerEvent } from "./worker-event.ts";

const event: WorkerEvent = { type: "worker.paused", worker: "w" };

test.each<readonly [string, EventListener]>([
  [
    "throws",
    () => {
      throw new Error("from the listener");
    },
  ],
  ["is asynchronous and rejects", async () => await Promise.reject(new Error("from the listener"))],
])("what a listener that %s fails with is logged, and nothing else comes of it", async (_, listener) => {
  const lines: unknown[] = [];
  const logger = { ...silentLogger, error: (...line: unknown[]) => lines.push(line) };
  guarded(listener, logger)?.(event);
  await expect
    .poll(() => lines)
    .toEqual([
      [
        { err: expect.objectContaining({ message: "from the listener" }), event: "worker.paused" },
        "the event listener failed",
      ],
    ]);
});
