import type { DeadReason } from "../broker/delivery.ts";
import type { ErrorRecord } from "../error-record.ts";
import type { Logger } from "../logger.ts";
import { isThenable } from "../thenable.ts";

/** Which message an event is about. */
export interface TaskFacts {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly retries: number;
  readonly crashes: number;
}

/** What happened to one message in this worker. `ms` is how long the handler ran; never arguments, never results. */
export type TaskEvent = TaskFacts &
  (
    | { readonly type: "task.started" }
    /** `waitMs`: from when it could run to when it did, `null` when the sender did not say. */
    | { readonly type: "task.succeeded"; readonly ms: number; readonly waitMs: number | null }
    | {
        readonly type: "task.retried";
        readonly ms: number;
        readonly error: ErrorRecord;
        readonly delayMs: number;
        readonly maxRetries: number;
      }
    | { readonly type: "task.ignored"; readonly ms: number; readonly error: ErrorRecord }
    /** `ms` is `null` when it never ran here: malformed, poison, unknown for too long. */
    | { readonly type: "task.dead"; readonly ms: number | null; readonly reason: DeadReason }
    /** No worker here knows the task: put back, to be asked again after `delayMs`. */
    | { readonly type: "task.parked"; readonly delayMs: number }
    | { readonly type: "task.expired" }
    /**
     * Did not run, because a run of an earlier tick of its schedule, which has `overlap: "skip"`, had not ended, or because its tick was sent twice, and the
     * schedule has `duplicates: "drop"`.
     */
    | { readonly type: "task.skipped"; readonly schedule: string; readonly because: "overlap" | "duplicate" }
    /** Came before its time and was put back. */
    | { readonly type: "task.postponed"; readonly delayMs: number }
    /** Handed back at shutdown, uncounted. */
    | { readonly type: "task.released"; readonly ms: number }
    /** Somebody else owns the message now; what this attempt did is not recorded. */
    | { readonly type: "task.lost"; readonly ms: number }
    /** Past its hard limit: given up, though its code still runs and keeps its slot. */
    | { readonly type: "task.overdue"; readonly ms: number }
    | { readonly type: "task.progress"; readonly value: number }
  );

export type WorkerEvent =
  | TaskEvent
  | {
      readonly type: "worker.ready";
      readonly worker: string;
      readonly queues: readonly string[];
      readonly slots: number;
      readonly tasks: readonly string[];
    }
  | { readonly type: "worker.paused"; readonly worker: string }
  | { readonly type: "worker.resumed"; readonly worker: string }
  /** Something kept the event loop from turning for `ms`: one of `tasks`, which ran or ended meanwhile. `Q4003`. */
  | { readonly type: "worker.blocked"; readonly worker: string; readonly ms: number; readonly tasks: readonly string[] }
  | { readonly type: "worker.stopping"; readonly worker: string; readonly waitingFor: number }
  | { readonly type: "worker.stopped"; readonly worker: string; readonly unfinished: number };

/** Receives events. Called in the middle of the worker's work: must be quick. What it throws, or rejects with, is logged, not raised; nobody waits for it. */
export type EventListener = (event: WorkerEvent) => void;

/** A listener that throws is a bug elsewhere: it must not change what becomes of a message. */
export function guarded(listener: EventListener | undefined, logger: Logger): EventListener | undefined {
  if (listener === undefined) return undefined;
  const tell = (event: WorkerEvent, error: unknown): void =>
    logger.error({ err: error, event: event.type }, "the event listener failed");
  return (event) => {
    try {
      // An async function counts as one that returns nothing.
      const told: unknown = listener(event);
      if (isThenable(told)) Promise.resolve(told).catch((error: unknown) => tell(event, error));
    } catch (error) {
      tell(event, error);
    }
  };
}
