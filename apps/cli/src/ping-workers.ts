import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { workerRepliesChannel, workersChannel } from "@q/core";
import { isJsonObject, type Broker, type JsonObject, type JsonValue } from "@q/core/broker";

/** What a worker answers when asked how it is. */
export interface WorkerReply {
  readonly worker: string;
  /** `null` when it does not say. */
  readonly release: string | null;
  readonly host: string;
  readonly pid: number;
  readonly queues: readonly string[];
  readonly slots: number;
  readonly busy: number;
  /** `running`, `paused`, `stopping`. */
  readonly state: string;
  /** Attempts that ended since it started. */
  readonly finished: number;
  /** How many of them ended in the last minute, by queue. */
  readonly finishedPerMinute: ReadonlyMap<string, number>;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

/** Workers that are alive answer well within this time; a busy one answers between two turns of its event loop. */
const replyWindowMs = 300;

/** Asks every worker for a sign of life. `undefined`: this broker has no control bus, so nobody can be asked. */
export async function pingWorkers(
  broker: Broker,
  windowMs: number = replyWindowMs,
): Promise<readonly WorkerReply[] | undefined> {
  const { control } = broker;
  if (control === undefined) return undefined;
  const ticket = randomUUID();
  const replies = new Map<string, WorkerReply>();
  const subscription = await control.subscribe(workerRepliesChannel, (payload) => {
    if (payload["reply"] !== ticket) return;
    const reply = readReply(payload);
    replies.set(`${reply.worker} ${reply.host} ${reply.pid}`, reply);
  });
  try {
    await control.broadcast(workersChannel, { command: "ping", ticket });
    await wait(windowMs);
  } finally {
    await subscription.close();
  }
  return [...replies.values()].toSorted((one, other) => one.worker.localeCompare(other.worker));
}

/** Another version may say less than this one asks for. */
function readReply(payload: JsonObject): WorkerReply {
  return {
    worker: text(payload["worker"]),
    release: typeof payload["release"] === "string" ? payload["release"] : null,
    host: text(payload["host"]),
    pid: number(payload["pid"]),
    queues: texts(payload["queues"]),
    slots: number(payload["slots"]),
    busy: number(payload["busy"]),
    state: text(payload["state"]),
    finished: number(payload["finished"]),
    finishedPerMinute: numbers(payload["finishedPerMinute"]),
    startedAt: number(payload["startedAt"]),
  };
}

const text = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");
const number = (value: JsonValue | undefined): number => (typeof value === "number" ? value : 0);

/** No object, which has more names than it was given: a queue may be called `constructor`. */
function numbers(value: JsonValue | undefined): ReadonlyMap<string, number> {
  return new Map(isJsonObject(value) ? Object.entries(value).map(([name, count]) => [name, number(count)]) : []);
}

function texts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
