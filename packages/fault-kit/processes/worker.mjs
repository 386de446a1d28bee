// Runs the tasks of the load until SIGTERM.
import { app } from "./load-app.mjs";
import { note, told } from "./note.mjs";

/** What a settled message is called in the log. @type {Record<string, string>} */
const endings = {
  "task.succeeded": "acked",
  "task.retried": "retried",
  "task.dead": "dead",
  "task.lost": "lost",
  "task.released": "released",
};

const worker = app.createWorker({
  concurrency: told.concurrency ?? 10,
  onEvent: (event) => {
    const ending = endings[event.type];
    if (ending !== undefined) note({ e: ending, id: event.id, retries: event.retries, crashes: event.crashes });
  },
});
process.once("SIGTERM", () => void stop());
await worker.start();
note({ e: "ready" });

async function stop() {
  await worker.stop();
  await app.close();
}
