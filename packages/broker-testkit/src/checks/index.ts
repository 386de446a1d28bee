// The entry `@q/broker-testkit/checks`: everything but vitest.
import type { Check } from "../check.ts";
import { consumeChecks } from "./consume.ts";
import { controlChecks } from "./control.ts";
import { crashChecks } from "./crash.ts";
import { deadLetterChecks } from "./dead-letters.ts";
import { delayChecks } from "./delay.ts";
import { fencingChecks } from "./fencing.ts";
import { inspectorChecks } from "./inspector.ts";
import { leaseChecks } from "./leases.ts";
import { lifecycleChecks } from "./lifecycle.ts";
import { malformedChecks } from "./malformed.ts";
import { onceChecks } from "./once.ts";
import { orderChecks } from "./order.ts";
import { poisonChecks } from "./poison.ts";
import { publishChecks } from "./publish.ts";
import { scheduleChecks } from "./schedules.ts";
import { settleChecks } from "./settle.ts";

/** Every law, by area. */
export const areas: Readonly<Record<string, readonly Check[]>> = {
  publish: publishChecks,
  consume: consumeChecks,
  settle: settleChecks,
  fencing: fencingChecks,
  delay: delayChecks,
  order: orderChecks,
  crash: crashChecks,
  poison: poisonChecks,
  malformed: malformedChecks,
  lifecycle: lifecycleChecks,
  "dead letters": deadLetterChecks,
  inspector: inspectorChecks,
  control: controlChecks,
  once: onceChecks,
  leases: leaseChecks,
  schedules: scheduleChecks,
};

/** Every law. */
export const checks: readonly Check[] = Object.values(areas).flat();

export type { Check, Need } from "../check.ts";
export type { Harness, HarnessWorld } from "../harness.ts";
export type { Inbox } from "../inbox.ts";
export { runCheck, type CheckResult } from "../run-check.ts";
export type { World } from "../world.ts";
