import { expect, test } from "vitest";
import type { Delivery, Outcome } from "../broker/delivery.ts";
import { GuardedDelivery } from "./guarded-delivery.ts";

/** A delivery under a lease, and what becomes of both, in order. */
function setUp(runsOn = false) {
  const steps: (Outcome | "lease ended")[] = [];
  const delivery = {
    message: { headers: { task: "sync" } },
    settle: async (outcome: Outcome) => {
      steps.push(outcome);
      return "settled";
    },
  } as unknown as Delivery;
  const lease = {
    name: "schedule:sync",
    fence: 1,
    lost: new AbortController().signal,
    release: async () => void steps.push("lease ended"),
  };
  return { guarded: new GuardedDelivery(delivery, lease, () => runsOn), steps };
}

test("what is handed back says that it has begun, since the next tick may begin as soon as the lease has ended", async () => {
  const { guarded, steps } = setUp();
  await guarded.settle({ kind: "release" });
  expect(steps).toEqual(["lease ended", { kind: "requeue", delayMs: 0, headers: { task: "sync", q_begun: true } }]);
});

test("every other outcome is as it was, and the lease of what runs on stays", async () => {
  const ended = setUp();
  await ended.guarded.settle({ kind: "ack" });
  expect(ended.steps).toEqual(["lease ended", { kind: "ack" }]);
  const overdue = setUp(true);
  await overdue.guarded.settle({ kind: "ack" });
  expect(overdue.steps).toEqual([{ kind: "ack" }]);
});
