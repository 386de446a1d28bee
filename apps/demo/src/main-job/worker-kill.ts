import { setTimeout as wait } from "node:timers/promises";
import type { BrokerMessage, QueueInspector } from "@q/core/broker";
import type { EventStore } from "../stores/event-store.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** After this long without a line nothing of a frozen process is on its way any more. */
const quietMs = 10;

/**
 * Kills a worker with SIGKILL while it holds work. To be sure that it does, it is frozen first: then what it had begun, by its own
 * lines, and what the broker lists as in flight, do not change while they are compared. When it holds nothing, it may go on, for the next try.
 * @returns ids of the messages that it held; none when `giveUp` said so first
 */
export async function killWhileHolding(options: {
  readonly worker: WorkerProcess;
  readonly inspector: QueueInspector;
  readonly queue: string;
  /** Locked for each try: a task that needs it cannot end meanwhile, however little is waiting. */
  readonly events: EventStore;
  /** Whether it can be seen later that a message was delivered twice. One of those it must hold. */
  readonly leavesTrace: (message: BrokerMessage) => boolean;
  readonly giveUp: () => boolean;
}): Promise<readonly string[]> {
  const { worker, inspector, queue, events, leavesTrace, giveUp } = options;
  while (!giveUp()) {
    const release = await events.takeWriteLock();
    try {
      await wait(quietMs);
      worker.child.signal("SIGSTOP");
      do await wait(quietMs);
      while (worker.silentMs < quietMs);
      const inFlight = await inFlightMessages(inspector, queue);
      const held = inFlight.filter(({ id }) => worker.held.has(id));
      if (held.some(leavesTrace)) {
        worker.child.signal("SIGKILL");
        await worker.child.exited;
        return held.map(({ id }) => id);
      }
      worker.child.signal("SIGCONT");
    } finally {
      release();
    }
    await wait(quietMs);
  }
  return [];
}

async function inFlightMessages(inspector: QueueInspector, queue: string): Promise<readonly BrokerMessage[]> {
  const messages: BrokerMessage[] = [];
  let cursor: string | undefined;
  do {
    const page = await inspector.peek?.(queue, "in-flight", { limit: 1000, cursor });
    for (const { message } of page?.items ?? []) if ("id" in message) messages.push(message);
    cursor = page?.next ?? undefined;
  } while (cursor !== undefined);
  return messages;
}
