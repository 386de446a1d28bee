/** What a scheduler did, or could not do. Times are epoch milliseconds, by the broker's clock. */
export type SchedulerEvent =
  /** It has begun. `next` is the tick that comes first. */
  | { readonly type: "scheduler.ready"; readonly schedules: number; readonly next: NextTick | null }
  | { readonly type: "scheduler.stopped" }
  /** This process has sent a tick. `lateMs` is how long after its time. */
  | (TickFacts & { readonly type: "schedule.fired"; readonly lateMs: number })
  /** It would have, and only says so. */
  | (TickFacts & { readonly type: "schedule.due"; readonly lateMs: number })
  /** Ticks up to `until` are not sent: nobody was there in time. `hasMore`: there were more than were counted. */
  | {
      readonly type: "schedule.skipped";
      readonly name: string;
      readonly count: number;
      readonly hasMore: boolean;
      readonly until: number;
    }
  /** A tick could not be sent. It is tried again, and what comes due meanwhile is missed. */
  | { readonly type: "schedule.failed"; readonly name: string; readonly error: unknown }
  /** A schedule that was made at run time makes no sense here, such as one whose task is gone. Its ticks are not sent. */
  | { readonly type: "schedule.problem"; readonly name: string; readonly error: Error }
  /** The broker could not be asked. What is known goes on. */
  | { readonly type: "scheduler.unreachable"; readonly error: unknown };

export interface NextTick {
  readonly name: string;
  readonly at: number;
}

interface TickFacts {
  readonly name: string;
  readonly task: string;
  /** What the tick was planned for. */
  readonly at: number;
}
