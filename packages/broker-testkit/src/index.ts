export { areas, checks, runCheck } from "./checks/index.ts";
export type { Check, CheckResult, Harness, HarnessWorld, Inbox, Need, World } from "./checks/index.ts";
export { testBroker } from "./test-broker.ts";
