import { createApp, retry } from "@q/core";
import { logger, note, pause, told } from "./note.mjs";

const { adapter, url, queue, broker = {}, app: options = {} } = told;
const { [adapter.factory]: createBroker } = await import(adapter.module);

export const app = createApp({ broker: createBroker({ url, ...broker }), queues: [queue], logger, ...options });

/** Its arguments say how a run goes: how long it takes, how often it fails, what it does to its process. */
export const work = app.instrumentedTask(
  { name: "load.work", retry: retry(), maxRetries: 5, defaultRetryDelay: "200ms" },
  async (
    { ms = 0, failures = 0, busyMs = 0, leakBytes = 0, onceMs = 0, hangs, kills, sticks },
    { id, retries, crashes, signal },
  ) => {
    note({ e: "start", id, retries, crashes });
    await die(kills);
    if (hangs) await new Promise(() => undefined);
    if (leakBytes > 0) leak.push(Buffer.alloc(leakBytes, 1));
    if (sticks && crashes === 0) computeFor(Infinity);
    if (busyMs > 0) computeFor(busyMs);
    if (crashes === 0 && onceMs > 0) {
      signal.addEventListener("abort", () => note({ e: "aborted", id }));
      await pause(onceMs);
    }
    if (ms > 0) await pause(ms);
    if (retries < failures) throw new Error("once more");
    note({ e: "done", id, retries, crashes });
    // Before the acknowledgement can leave.
    if (kills === "done" && crashes === 0) process.kill(process.pid, "SIGKILL");
  },
);

/** What the tasks leave behind. @type {unknown[]} */
const leak = [];

/** The ways of a handler to end its process. @param {string | undefined} way */
async function die(way) {
  if (way === "start") process.kill(process.pid, "SIGKILL");
  if (way === "loop") computeFor(Infinity);
  if (way === "memory") for (;;) leak.push(Array.from({ length: 1e6 }, () => ({})));
  if (way !== "rejection") return;
  void Promise.reject(new Error("nobody handles this"));
  await pause(10_000);
}

/** @param {number} ms */
function computeFor(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
