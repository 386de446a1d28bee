import { expect, test } from "vitest";
import { check } from "./check.ts";
import type { Evidence, Finding } from "./check.ts";
import type { Expected, SentRequest } from "./request-mix.ts";

function sent(eventId: string, expected: Expected, fault = "pay"): SentRequest {
  const status = expected === "refused" ? 400 : 200;
  return { expected, eventId, fault, expectedStatus: status, status, ms: 1 };
}

function savedEvent(eventId: string, fingerprint = "f1"): Evidence["saved"][number] {
  return { eventId, project: "shop", fingerprint, acceptedAt: 0, savedAt: 5 };
}

function delivery(
  messageId: string,
  eventId: string,
  more: Partial<Evidence["deliveries"][number]> = {},
): Evidence["deliveries"][number] {
  return { messageId, eventId, retries: 0, crashes: 0, counted: true, ...more };
}

function tick(second: number, more: Partial<Evidence["expiries"][number]> = {}): Evidence["expiries"][number] {
  return { messageId: `cron:s:2030-01-01T00:00:0${second}.000Z`, retries: 0, crashes: 0, expired: 0, ...more };
}

/** Two saved, one of them retried and one that came back from the killed worker; one repeated, ignored, dead, refused each. */
const sound: Evidence = {
  requests: [
    sent("a", "saved"),
    sent("b", "saved"),
    sent("a", "repeated"),
    sent("i", "ignored"),
    sent("d", "dead"),
    sent("r", "refused"),
  ],
  saved: [savedEvent("a"), savedEvent("b")],
  groups: [{ project: "shop", fingerprint: "f1", count: 2 }],
  deliveries: [
    delivery("m1", "a", { retries: 1 }),
    delivery("m2", "b"),
    delivery("m2", "b", { crashes: 1, counted: false }),
    delivery("m3", "a", { counted: false }),
  ],
  spooled: ["d"],
  deadErrors: ["TypeError"],
  leftInQueue: 0,
  heldByKilled: ["m2"],
  expiries: [tick(1, { expired: 3 }), tick(2), tick(2, { crashes: 1 }), tick(3, { retries: 1 })],
  oldEvents: 3,
};

function wrongIn(evidence: Partial<Evidence>): readonly string[] {
  return check({ ...sound, ...evidence })
    .filter(({ ok }) => !ok)
    .map(({ what }) => what);
}

test("a sound run has no wrong number", () => {
  expect(wrongIn({})).toEqual([]);
});

test("what a number does not say stands beside it", () => {
  const notes = check(sound)
    .map(({ note }: Finding) => note)
    .filter((note) => note !== "");
  expect(notes).toEqual([
    "2 came a second time and were not counted again",
    "1 saved already: it died before it could say so",
  ]);
});

test.each<[string, Partial<Evidence>, readonly string[]]>([
  [
    "a saved event that vanished",
    { saved: [savedEvent("a")], deliveries: sound.deliveries.filter(({ eventId }) => eventId === "a") },
    ["saved", "counted exactly once", "ignored, their project is gone", "came back from the killed worker"],
  ],
  [
    "an event that nobody sent",
    { saved: [...sound.saved, savedEvent("x")] },
    ["saved", "counted exactly once", "groups"],
  ],
  [
    "as many events, but others",
    { saved: [savedEvent("a"), savedEvent("x")] },
    ["saved", "counted exactly once", "groups", "ignored, their project is gone"],
  ],
  [
    "a group that counted one event twice",
    { groups: [{ project: "shop", fingerprint: "f1", count: 3 }] },
    ["counted exactly once"],
  ],
  [
    "an event counted by two deliveries",
    { deliveries: sound.deliveries.map((one) => ({ ...one, counted: true })) },
    ["counted exactly once"],
  ],
  [
    "one fault in two groups",
    {
      saved: [savedEvent("a"), savedEvent("b", "f2")],
      groups: [
        { project: "shop", fingerprint: "f1", count: 1 },
        { project: "shop", fingerprint: "f2", count: 1 },
      ],
    },
    ["groups"],
  ],
  [
    "a refused event that was accepted",
    { requests: sound.requests.map((one) => ({ ...one, status: 200 })) },
    ["refused, with the right status"],
  ],
  [
    "a request without an answer",
    { requests: sound.requests.map((one, index) => (index === 1 ? { ...one, status: 0 } : one)) },
    ["accepted"],
  ],
  ["an ignored event that still waits", { spooled: ["d", "i"] }, ["ignored, their project is gone", "kept for repair"]],
  ["a dead event whose body is lost", { spooled: [] }, ["ignored, their project is gone", "kept for repair"]],
  ["a dead letter too few", { deadErrors: [] }, ["dead-lettered with a TypeError"]],
  ["a death of another kind", { deadErrors: ["DatabaseUnavailable"] }, ["dead-lettered with a TypeError"]],
  ["no retry at all", { deliveries: sound.deliveries.map((one) => ({ ...one, retries: 0 })) }, ["retried, then saved"]],
  ["a worker killed while idle", { heldByKilled: [] }, ["came back from the killed worker"]],
  ["work of the killed worker that stayed lost", { heldByKilled: ["m2", "m3"] }, ["came back from the killed worker"]],
  ["a tick that was left out", { expiries: [tick(1, { expired: 3 }), tick(3)] }, ["ticks of the schedule, each once"]],
  [
    "a tick that was sent twice",
    { expiries: [tick(1, { expired: 3 }), tick(2), tick(2)] },
    ["ticks of the schedule, each once"],
  ],
  ["no tick at all", { expiries: [] }, ["ticks of the schedule, each once", "old events that they expired"]],
  ["an old event that stayed", { oldEvents: 4 }, ["old events that they expired"]],
  ["a message left in the queue", { leftInQueue: 1 }, ["left in the queue"]],
])("%s is found", (_name, evidence, expected) => {
  expect(wrongIn(evidence)).toEqual(expect.arrayContaining([...expected]));
});
