export { createApp, type App } from "./app.ts";
export type { AppOptions, QueueDeclaration } from "./app-options.ts";
export { ArgumentsError } from "./arguments.ts";
export { formatLocation, type SourceLocation } from "./call-site.ts";
export { retryHeaders, type RetryChange } from "./celery-headers.ts";
export type { Duration } from "./duration.ts";
export { durationMs, formatMs } from "./duration.ts";
export { EagerTaskFailed } from "./eager.ts";
export { errorRecord, type ErrorRecord } from "./error-record.ts";
export {
  AttemptError,
  Ignore,
  LeaseLost,
  Reject,
  Retry,
  SoftTimeLimitExceeded,
  TimeLimitExceeded,
  WorkerStopping,
} from "./errors.ts";
export { fromUrl } from "./from-url.ts";
export type { Importer } from "./imports.ts";
export type { JsonObject, JsonValue } from "./json.ts";
export { silentLogger, type LogFields, type Logger } from "./logger.ts";
export type { Middleware, SendContext } from "./middleware.ts";
export { didYouMean, nearest } from "./nearest.ts";
export { ConfigError, QError, hasCode, type QErrorOptions } from "./q-error.ts";
export { retry, type Backoff, type ErrorMatcher, type RetryOptions, type RetryPolicy } from "./retry-policy.ts";
export { readSchedule, timingOf, type Schedule } from "./schedule/schedule.ts";
export type { ScheduleEntry, ScheduleSendOptions } from "./schedule/schedule-entry.ts";
export type { ExaminedSchedule, ListedSchedule, Schedules } from "./schedule/schedules.ts";
export type { Timing } from "./schedule/timing.ts";
export type { SendOptions, Sent, Signature } from "./signature.ts";
export type { Handler, Task, TaskOptions } from "./task.ts";
export { currentTask, type TaskContext } from "./task-context.ts";
export { workerRepliesChannel, workersChannel } from "./worker/presence.ts";
export type { EventListener, TaskEvent, TaskFacts, WorkerEvent } from "./worker/worker-event.ts";
export type { WorkerOptions } from "./worker/worker-options.ts";
export type { RunningTask, Worker, WorkerState } from "./worker/worker.ts";
export { BrokerError, PublishFailed, PublishRejected, PublishUnknown } from "./broker/broker-error.ts";
export type { Broker, BrokerFactory } from "./broker/broker.ts";
export type { DeadReason } from "./broker/delivery.ts";
