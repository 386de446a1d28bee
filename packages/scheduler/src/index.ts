export { mostMissed } from "./misfire.ts";
export { Scheduler, type SchedulerOptions } from "./scheduler.ts";
export type { NextTick, SchedulerEvent } from "./scheduler-event.ts";
