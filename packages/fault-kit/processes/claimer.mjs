// Dies when it has got a message, before anything was done with it.
import { app } from "./load-app.mjs";
import { note, told } from "./note.mjs";

await app.open();
await app.broker.consume([told.queue], { prefetch: told.prefetch ?? 1 }, () => {
  note({ e: "claimed" });
  process.kill(process.pid, "SIGKILL");
});
