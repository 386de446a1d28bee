import { parentPort, threadId, workerData } from "node:worker_threads";
import { silentLogger, sleep, systemClock, type Logger } from "@q/core/broker";
import { Beats } from "./beats.ts";
import { Connection } from "./connection.ts";
import { FailoverWatch } from "./failover-watch.ts";
import type { ThreadData, ToMain, ToThread } from "./thread-keeper.ts";

/** Between two attempts to connect. Milliseconds. */
const pauseMs = 50;

// The thread in which leases are renewed, so that a handler that computes for long does not lose what it holds.
const { settings, turns, stuck } = workerData as ThreadData;
const port = parentPort;
if (port === null || threadId === 0) throw new Error("this module is the body of a worker thread");

const tell = (message: ToMain): void => port.postMessage(message);
const logger: Logger = {
  ...silentLogger,
  info: (fields, text) => tell({ kind: "log", level: "info", fields: plain(fields), text }),
  warn: (fields, text) => tell({ kind: "log", level: "warn", fields: plain(fields), text }),
};

const failovers = new FailoverWatch(settings);
const connection = await connect();
const beats = new Beats({ connection, settings, clock: systemClock, logger });
watchMainThread();

port.on("message", (message: ToThread) => {
  if (message.kind === "keep") beats.keep(message.member, () => tell({ kind: "lost", id: message.member.id }));
  else if (message.kind === "forget") beats.forget(message.id);
  else close();
});
tell({ kind: "ready" });

/** Tries for as long as a lease cannot have ended yet: who consumes is at work already, and an outage ends. @throws BrokerError `Q1001` */
async function connect(): Promise<Connection> {
  const until = systemClock.monotonic() + Math.min(settings.timeoutMs, settings.leaseMs);
  for (;;) {
    try {
      return await Connection.open({ settings, failovers, clock: systemClock, logger: silentLogger });
    } catch (error) {
      if (systemClock.monotonic() >= until) throw error;
      await sleep(systemClock, pauseMs);
    }
  }
}

function close(): void {
  beats.close();
  connection.close();
  failovers.close();
  port?.close();
}

/**
 * A thread that renews leases for a process that is stuck for ever would hide it. The main thread counts its turns; when the count stands still for
 * too long, the process is ended as if somebody had killed it, and its work goes to others.
 */
function watchMainThread(): void {
  if (stuck === null) return;
  const { afterMs, turnEveryMs } = stuck;
  let last = -1;
  let since = performance.now();
  setInterval(() => {
    const turn = Atomics.load(turns, 0);
    if (turn !== last) {
      last = turn;
      since = performance.now();
    } else if (performance.now() - since > afterMs) {
      process.stderr.write(
        `q: the event loop has not turned for ${afterMs} ms: ending this process, its tasks go to others\n`,
      );
      process.kill(process.pid, "SIGKILL");
    }
  }, turnEveryMs).unref();
}

/** What may cross to the main thread: an error keeps its text. */
function plain(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? value.message : (value as unknown)]),
  );
}
