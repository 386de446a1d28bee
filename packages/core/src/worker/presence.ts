import { hostname } from "node:os";
import type { ControlBus, Subscription } from "../broker/control-bus.ts";
import type { JsonObject } from "../json.ts";
import type { Logger } from "../logger.ts";
import type { Throughput } from "./throughput.ts";

/** Where somebody asks which workers are there: `{ command: "ping", ticket }`. */
export const workersChannel = "workers";
/** Where each of them answers, with the ticket as `reply`. */
export const workerRepliesChannel = "worker-replies";

/**
 * Answers `ping` on the control bus with what this worker is doing, so that `q status` needs no registry of workers that could be out of date.
 */
export async function answerPings(bus: ControlBus, describe: () => JsonObject, logger: Logger): Promise<Subscription> {
  return await bus.subscribe(workersChannel, (request) => {
    if (request["command"] !== "ping" || typeof request["ticket"] !== "string") return;
    bus.broadcast(workerRepliesChannel, { ...describe(), reply: request["ticket"] }).catch((error: unknown) => {
      logger.debug({ err: error }, "a ping could not be answered");
    });
  });
}

/** What a worker shows of itself. */
export interface VisibleWorker {
  readonly name: string;
  readonly release: string | undefined;
  readonly state: string;
  readonly queues: readonly string[];
  readonly concurrency: number;
  stats(): { readonly busy: number; readonly finished: number; readonly startedAt: number };
}

/** With the longest names that queues may have, still a small part of what a broadcast takes. */
const mostRates = 100;

/** The answer to a ping. */
export function describeWorker(worker: VisibleWorker, throughput: Throughput): JsonObject {
  const { name, release, state, queues, concurrency } = worker;
  const { busy, finished, startedAt } = worker.stats();
  return {
    worker: name,
    ...(release === undefined ? {} : { release }),
    host: hostname(),
    pid: process.pid,
    state,
    queues: [...new Set(queues)],
    slots: concurrency,
    busy,
    finished,
    finishedPerMinute: throughput.perMinute(mostRates),
    startedAt,
  };
}
