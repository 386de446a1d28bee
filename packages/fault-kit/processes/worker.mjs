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

/** @type {Promise<void> | undefined} */
let stopping;

const worker = app.createWorker({
  ...told.options,
  concurrency: told.concurrency ?? 10,
  onEvent: (event) => {
    const ending = endings[event.type];
    if (ending !== undefined) note({ e: ending, id: event.id, retries: event.retries, crashes: event.crashes });
  },
});
process.once("SIGTERM", () => void stop());
// As `q worker` does, and its supervisor starts another one: when no slot is left, and when it has grown too large.
void worker.failed.then(() => stop().then(() => process.exit(70)));
if (told.mostBytes !== undefined) setInterval(look, 200).unref();
await worker.start();
note({ e: "ready" });

function look() {
  const bytes = process.memoryUsage.rss();
  if (bytes < told.mostBytes || stopping !== undefined) return;
  note({ e: "recycled", bytes });
  void stop();
}

function stop() {
  stopping ??= worker.stop().then(() => app.close());
  return stopping;
}
