import { expect, test } from "vitest";
import type { Delivery } from "../broker/delivery.ts";
import { defaultDecodeLimits } from "../celery-body.ts";
import { encodeMessage } from "../celery-codec.ts";
import { plainCall, type Message } from "../message.ts";
import { triage, type Triage, type TriageRules } from "./triage.ts";

const now = Date.UTC(2030, 0, 1);
const hour = 3_600_000;
const rules: TriageRules = {
  worker: "w1",
  tasks: new Map(),
  limits: defaultDecodeLimits,
  maxCrashes: 3,
  parkForMs: 24 * hour,
};

function sort(change: Partial<Message> = {}, { headers = {}, crashes = 0 } = {}): Triage {
  const stored = encodeMessage({ ...plainCall, id: "m", rootId: "m", task: "t.unknown", queue: "q", ...change });
  const delivery = { message: { ...stored, headers: { ...stored.headers, ...headers } }, crashes } as Delivery;
  return triage(delivery, rules, now);
}

test("what has expired is dropped, also when it is early, unknown or parked", () => {
  const dropped = { outcome: { kind: "ack" }, event: { type: "task.expired" } };
  expect(sort({ expiresMs: now })).toMatchObject(dropped);
  expect(sort({ expiresMs: now - 1, etaMs: now + hour })).toMatchObject(dropped);
  expect(sort({ expiresMs: now + 1 })).toMatchObject({ event: { type: "task.parked" } });
});

test("what has failed, and expires before its retry, is dead", () => {
  expect(sort({ expiresMs: now, retries: 1 })).toMatchObject({
    outcome: { kind: "bury", reason: { code: "expired", worker: "w1" } },
    event: { type: "task.dead" },
  });
});

test("what killed too many workers is dead, also when it has expired", () => {
  expect(sort({ expiresMs: now - 1 }, { crashes: 3 })).toMatchObject({
    outcome: { reason: { code: "poison", worker: "w1" } },
  });
});

test("what nobody can read is dead, with the name of the worker that gave it up", () => {
  const malformed = { outcome: { reason: { code: "malformed", worker: "w1" } } };
  expect(sort({}, { headers: { task: 5 } })).toMatchObject(malformed);
  const garbage = { message: { queue: "q", raw: new Uint8Array(1), malformed: "no message" }, crashes: 0 } as unknown;
  expect(triage(garbage as Delivery, rules, now)).toMatchObject(malformed);
});

test("what comes before its time waits for the rest of it", () => {
  expect(sort({ etaMs: now + hour })).toMatchObject({ outcome: { kind: "requeue", delayMs: hour } });
  // Celery's retry of a message that we had delayed.
  expect(sort({ etaMs: now + hour, sentAtMs: now })).toMatchObject({ outcome: { kind: "requeue", delayMs: hour } });
});

test("what a broker has held until its time is due, whatever the clock of its sender or of this worker says", () => {
  const etaMs = now + hour;
  const runs = { event: { type: "task.parked" } };
  expect(sort({ etaMs, sentAtMs: etaMs })).toMatchObject(runs);
  const postponed = sort({ etaMs: etaMs + 0.7 });
  if (postponed.kind !== "settle" || postponed.outcome.kind !== "requeue") throw new Error("expected a requeue");
  const { headers = {} } = postponed.outcome;
  expect(sort({}, { headers })).toMatchObject(runs);
});

test("an unknown task waits as long as it has waited so far, and is dead after a day", () => {
  const parkedFor = (ms: number): Triage => sort({}, { headers: { q_parked_at: now - ms } });
  expect(sort()).toMatchObject({ outcome: { delayMs: 1000, headers: { q_parked_at: now } } });
  expect(parkedFor(60_000)).toMatchObject({ outcome: { delayMs: 60_000, headers: { q_parked_at: now - 60_000 } } });
  expect(parkedFor(hour)).toMatchObject({ outcome: { delayMs: 300_000 } });
  expect(parkedFor(24 * hour)).toMatchObject({
    outcome: { kind: "bury", reason: { code: "unknown-task", worker: "w1" } },
  });
});

test("a parking that began in the future, by another's clock, begins now", () => {
  expect(sort({}, { headers: { q_parked_at: now + 1000 * hour } })).toMatchObject({
    outcome: { delayMs: 1000, headers: { q_parked_at: now } },
  });
});
