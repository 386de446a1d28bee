import type { Broker } from "@q/core/broker";
import type { Harness } from "./harness.ts";
import type { World } from "./world.ts";

/** What a check needs beyond the required: an ability of the harness, or an optional part of the broker. */
export type Need =
  | "crash"
  | "interrupt"
  | "expire"
  | "expireUnnoticed"
  | "inject"
  | "once"
  | "inspector"
  | "peek"
  | "control"
  | "leases"
  | "schedules";

/** One law that every broker keeps. */
export interface Check {
  /** A sentence that says the law. Names a check for good. */
  readonly name: string;
  /** Default: nothing. */
  readonly needs?: readonly Need[];
  /** Rejects when the law is broken. */
  readonly run: (world: World) => Promise<void>;
}

/** Why the check cannot run here, or `undefined` when it can. */
export function whyNot(check: Check, harness: Harness, broker: Broker): string | undefined {
  const exception = harness.exceptions?.[check.name];
  if (exception !== undefined) return `a known exception: ${exception}`;
  const missing = (check.needs ?? [])
    .map((need) => missingPart(need, harness, broker))
    .find((reason) => reason !== undefined);
  return missing;
}

function missingPart(need: Need, harness: Harness, broker: Broker): string | undefined {
  switch (need) {
    case "crash":
    case "interrupt":
    case "expire":
    case "expireUnnoticed":
    case "inject":
      return harness[need] === undefined ? `the harness has no ${need}()` : undefined;
    case "peek":
      return broker.inspector?.peek === undefined ? `the ${broker.name} broker cannot peek` : undefined;
    default:
      return broker[need] === undefined ? `the ${broker.name} broker has no ${need}` : undefined;
  }
}
