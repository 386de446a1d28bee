export { celeryInstalled, CeleryWorker, PythonService } from "./celery-processes.ts";
export type { CeleryPlace, CeleryWorkerOptions } from "./celery-processes.ts";
export { Inbox } from "./inbox.ts";
export { testInterop } from "./interop.ts";
export type { InteropOptions, InteropSite } from "./interop.ts";
export { testMixedFleet } from "./mixed-fleet.ts";
export type { FleetSite } from "./mixed-fleet.ts";
