// Sends tasks at a steady pace until it has sent all, or SIGTERM. What it was going to send it notes before, and the answer after.
import { app, work } from "./load-app.mjs";
import { note, pause, told } from "./note.mjs";

const { name, count = Infinity, perSecond = 300, burst = 6, tasks } = told;
const stopped = new AbortController();
process.once("SIGTERM", () => stopped.abort());

await app.open();
note({ e: "ready" });
const startedAt = performance.now();
for (let sent = 0; sent < count && !stopped.signal.aborted; sent += burst) {
  const numbers = Array.from({ length: Math.min(burst, count - sent) }, (_, index) => sent + index);
  await Promise.all(numbers.map(send));
  const ahead = startedAt + (1000 * (sent + burst)) / perSecond - performance.now();
  if (ahead > 0) await pause(ahead);
}
await app.close();

/** @param {number} number */
async function send(number) {
  const taskId = `${name}-${number}`;
  const { args, options } = shape(number);
  note({ e: "try", id: taskId, delayMs: Number.parseInt(options.countdown ?? "0", 10) });
  try {
    const { duplicate } = await work.applyAsync(args, { taskId, ...options });
    note({ e: duplicate ? "duplicate" : "ok", id: taskId });
  } catch (error) {
    note({ e: "err", id: taskId, code: error.code, unknown: error.code === "Q1102" });
  }
}

/** @param {number} number */
function shape(number) {
  const {
    mostMs = 20,
    retryEvery = 10,
    delayEvery = 20,
    delays = [300],
    keys,
    sending,
    padBytes = 0,
    ...rest
  } = tasks ?? {};
  const is = (every, place) => every > 0 && number % every === place;
  return {
    args: {
      ms: (number * 7) % (mostMs + 1),
      failures: is(retryEvery, 3) ? 1 : 0,
      ...(padBytes > 0 ? { pad: "x".repeat(padBytes) } : {}),
      ...rest,
    },
    options: {
      ...(is(delayEvery, 5 % delayEvery) ? { countdown: `${delays[number % delays.length]}ms` } : {}),
      ...sending,
      ...(keys === undefined ? {} : { key: `key-${number % keys.count}`, keyTtl: keys.ttl }),
    },
  };
}
