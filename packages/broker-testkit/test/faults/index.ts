import { consumingFaults } from "./consuming.ts";
import { coordinatingFaults } from "./coordinating.ts";
import { deadLetterFaults } from "./dead-letters.ts";
import type { Fault } from "./fault.ts";
import { inspectingFaults } from "./inspecting.ts";
import { livingFaults } from "./living.ts";
import { schedulingFaults } from "./scheduling.ts";
import { sendingFaults } from "./sending.ts";
import { settlingFaults } from "./settling.ts";

/** Every planted fault. */
export const faults: readonly Fault[] = [
  ...sendingFaults,
  ...consumingFaults,
  ...settlingFaults,
  ...livingFaults,
  ...deadLetterFaults,
  ...inspectingFaults,
  ...coordinatingFaults,
  ...schedulingFaults,
];
