import { createApp, retry } from "@q/core";
import { logger, note, pause, told } from "./note.mjs";

const { adapter, url, queue, broker = {} } = told;
const { [adapter.factory]: createBroker } = await import(adapter.module);

export const app = createApp({ broker: createBroker({ url, ...broker }), queues: [queue], logger });

/** Its arguments say how a run goes: how long it takes, how often it fails, what it does to its process. */
export const work = app.instrumentedTask(
  { name: "load.work", retry: retry(), maxRetries: 5, defaultRetryDelay: "200ms" },
  async ({ ms = 0, failures = 0, busyMs = 0, kills, sticks }, { id, retries, crashes }) => {
    note({ e: "start", id, retries, crashes });
    if (kills === "start") process.kill(process.pid, "SIGKILL");
    if (sticks && crashes === 0) computeFor(Infinity);
    if (busyMs > 0) computeFor(busyMs);
    if (ms > 0) await pause(ms);
    if (retries < failures) throw new Error("once more");
    note({ e: "done", id, retries, crashes });
    // Before the acknowledgement can leave.
    if (kills === "done" && crashes === 0) process.kill(process.pid, "SIGKILL");
  },
);

/** @param {number} ms */
function computeFor(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
