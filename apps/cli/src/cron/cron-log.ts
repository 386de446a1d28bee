import { formatMs, type LogFields, type Logger } from "@q/core";
import type { SchedulerEvent } from "@q/scheduler";
import { formatInstant, isoTime } from "../output/numbers.ts";

/**
 * Writes what a scheduler does into the log: one line for each tick that this process sends, and for whatever goes wrong.
 * @param isPretty people read it: the sentence says it all
 */
export function cronLog(log: Logger, isPretty: boolean): (event: SchedulerEvent) => void {
  const forPeople = (fields: LogFields): LogFields => (fields["err"] === undefined ? {} : { err: fields["err"] });
  const say =
    (level: "info" | "warn" | "error") =>
    (fields: LogFields, text: string): void =>
      log[level](isPretty ? forPeople(fields) : fields, text);
  const logger = { info: say("info"), warn: say("warn"), error: say("error") };
  return (event) => {
    switch (event.type) {
      case "scheduler.ready":
        logger.info(
          { event: event.type, schedules: event.schedules, next: event.next === null ? null : isoTime(event.next.at) },
          "cron ready",
        );
        return;
      case "scheduler.stopped":
        logger.info({ event: event.type }, "cron stopped");
        return;
      case "schedule.fired":
      case "schedule.due": {
        const { type, name, task, at, lateMs } = event;
        const verb = type === "schedule.fired" ? "sent" : "would send";
        const late = lateMs < 1000 ? "" : `, ${formatMs(lateMs)} late`;
        logger.info(
          { event: type, schedule: name, task, at: isoTime(at), late_ms: lateMs },
          `${verb} ${name} of ${formatInstant(at)}${late}`,
        );
        return;
      }
      case "schedule.skipped": {
        const { type, name, count, hasMore, until } = event;
        const many = `${hasMore ? "more than " : ""}${count} missed ${count === 1 ? "tick" : "ticks"}`;
        logger.warn(
          { event: type, schedule: name, count, has_more: hasMore, until: isoTime(until) },
          `${name}: skipped ${many}`,
        );
        return;
      }
      case "schedule.failed":
        logger.error(
          { event: event.type, schedule: event.name, err: event.error },
          `${event.name} could not be sent; trying again`,
        );
        return;
      case "schedule.problem":
        logger.warn({ event: event.type, schedule: event.name, err: event.error }, `${event.name} is not sent`);
        return;
      case "scheduler.unreachable":
        logger.error({ event: event.type, err: event.error }, "the broker could not be asked; trying again");
        return;
    }
  };
}
