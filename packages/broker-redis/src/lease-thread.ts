import { writeSync } from "node:fs";
import { parentPort, threadId, workerData } from "node:worker_threads";
import type { Member } from "./lease-keeper.ts";
import type { StandIn } from "./stand-in.ts";
import type { ThreadData, ToMain, ToThread } from "./thread-keeper.ts";

// The thread that renews leases while the event loop of the main thread stands still, so that a handler that computes for long does not lose what it
// holds. Most never need it: the client of Redis, which takes more memory than all else in a thread, is loaded when one does.
const { settings, turns, takeOverAfterMs, turnEveryMs } = workerData as ThreadData;
const port = parentPort;
if (port === null || threadId === 0) throw new Error("this module is the body of a worker thread");

/** By how much a busy machine lets this thread look late. Milliseconds. */
const longestLateMs = 1000;

const members = new Map<string, Member>();
let standIn: StandIn | undefined;
/** How often the main thread had turned at the last look, and since when it has not turned again. */
let lastTurn = -1;
let since = performance.now();
let lookedAt = since;
/** When the process went on after something had stopped the whole of it: a signal, a debugger, a machine that slept. */
let wentOnAt = 0;

const looking = setInterval(() => {
  const now = performance.now();
  if (now - lookedAt > 2 * turnEveryMs + longestLateMs) wentOnAt = now;
  lookedAt = now;
  const turn = Atomics.load(turns, 0);
  if (turn === lastTurn) return stand({ forMs: now - since, awakeMs: now - Math.max(since, wentOnAt) });
  lastTurn = turn;
  since = now;
  standIn?.close();
  standIn = undefined;
}, turnEveryMs);

port.on("message", (message: ToThread) => {
  if (message.kind === "keep") members.set(message.member.id, message.member);
  else if (message.kind === "forget") members.delete(message.id);
  else close();
});

interface Standing {
  readonly forMs: number;
  /** For how long of that it could have turned. */
  readonly awakeMs: number;
}

/** Called at each look at which the main thread still stands. */
function stand({ forMs, awakeMs }: Standing): void {
  const { stuckAfterMs } = settings;
  // Who consumes nothing keeps nothing from others, however long it computes.
  if (members.size === 0) return;
  // To renew the leases of a process that is stuck for ever would hide it. It ends as if somebody had killed it, and its work goes to others.
  if (stuckAfterMs !== null && awakeMs > stuckAfterMs) {
    say(`q: the event loop has not turned for ${stuckAfterMs} ms: ending this process, its tasks go to others`);
    process.kill(process.pid, "SIGKILL");
  }
  if (forMs > takeOverAfterMs) void takeOver();
}

/** At once: what a thread writes to its own stream goes through the main thread, which stands. */
function say(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // Nobody reads it.
  }
}

async function takeOver(): Promise<void> {
  const stoodAt = since;
  const { StandIn } = await import("./stand-in.ts");
  // Meanwhile it may have turned, or an earlier look have led here.
  if (standIn !== undefined || since !== stoodAt) return;
  const tell = (message: ToMain): void => port?.postMessage(message);
  standIn = new StandIn({ settings, members: [...members.values()], tell });
}

function close(): void {
  clearInterval(looking);
  // Whoever told us turns: what is just being loaded comes too late.
  since = performance.now();
  standIn?.close();
  port?.close();
}
