import type { EventGroup, Expiry, SavedDelivery, SavedEvent } from "../stores/event-store.ts";
import type { Expected, SentRequest } from "./request-mix.ts";

/** Everything that the check looks at: what was sent, and what the databases say at the end. */
export interface Evidence {
  readonly requests: readonly SentRequest[];
  readonly saved: readonly SavedEvent[];
  readonly groups: readonly Pick<EventGroup, "project" | "fingerprint" | "count">[];
  readonly deliveries: readonly SavedDelivery[];
  /** Ids of the events that still wait in the spool. */
  readonly spooled: readonly string[];
  /** Name of the error of each dead letter. */
  readonly deadErrors: readonly string[];
  /** Messages left in the queue: ready, delayed, in flight. */
  readonly leftInQueue: number;
  /** Ids of the messages that the killed worker held. */
  readonly heldByKilled: readonly string[];
  /** What came of the ticks of the schedule. */
  readonly expiries: readonly Expiry[];
  /** How many events were too old from the start. */
  readonly oldEvents: number;
}

/** One line of the result. */
export interface Finding {
  readonly what: string;
  readonly expected: string;
  readonly found: number;
  readonly ok: boolean;
  /** What a number does not say. */
  readonly note: string;
}

/** Compares what was sent with what came of it. Pure. */
export function check(evidence: Evidence): readonly Finding[] {
  const { requests, saved, spooled, leftInQueue } = evidence;
  const savedIds = new Set(saved.map(({ eventId }) => eventId));
  const waiting = new Set(spooled);
  // Whatever was accepted, is not saved and waits for nobody has been ignored.
  const gone = [...idsOf(requests, "saved", "ignored", "dead")].filter((id) => !savedIds.has(id) && !waiting.has(id));
  return [
    answers("accepted", requests, ["saved", "repeated", "ignored", "dead"]),
    answers("of these, sent a second time", requests, ["repeated"]),
    answers("refused, with the right status", requests, ["refused"]),
    sameIds("saved", savedIds, idsOf(requests, "saved")),
    countedOnce(evidence),
    groups(evidence),
    sameIds("ignored, their project is gone", new Set(gone), idsOf(requests, "ignored")),
    sameIds("kept for repair", waiting, idsOf(requests, "dead")),
    deadLetters(evidence),
    retried(evidence),
    cameBack(evidence),
    finding("left in the queue", 0, leftInQueue),
    ticks(evidence),
    finding(
      "old events that they expired",
      evidence.oldEvents,
      evidence.expiries.reduce((sum, { expired }) => sum + expired, 0),
    ),
  ];
}

function answers(what: string, requests: readonly SentRequest[], kinds: readonly Expected[]): Finding {
  const asked = requests.filter(({ expected }) => kinds.includes(expected));
  const wrong = asked.filter(({ status, expectedStatus }) => status !== expectedStatus);
  const note = wrong.length === 0 ? "" : `answered ${[...new Set(wrong.map(({ status }) => status))].join(", ")}`;
  return { ...finding(what, asked.length, asked.length - wrong.length), note };
}

function idsOf(requests: readonly SentRequest[], ...kinds: readonly Expected[]): ReadonlySet<string> {
  return new Set(requests.filter(({ expected }) => kinds.includes(expected)).map(({ eventId }) => eventId));
}

/** The very same ids, not only as many. */
function sameIds(what: string, found: ReadonlySet<string>, expected: ReadonlySet<string>): Finding {
  const missing = [...expected].filter((id) => !found.has(id));
  const extra = [...found].filter((id) => !expected.has(id));
  const parts = [describeIds("missing", missing), describeIds("not expected", extra)].filter((part) => part !== "");
  return { ...finding(what, expected.size, found.size), ok: parts.length === 0, note: parts.join("; ") };
}

function describeIds(word: string, ids: readonly string[]): string {
  return ids.length === 0 ? "" : `${ids.length} ${word}, such as ${ids[0]}`;
}

/** Every saved event was counted by one delivery, and the counters of the groups add up to the events in them. */
function countedOnce({ saved, deliveries, groups: counted }: Evidence): Finding {
  const times = tally(deliveries.filter((delivery) => delivery.counted).map(({ eventId }) => eventId));
  const members = tally(saved.map(groupKey));
  const once = saved.filter(({ eventId }) => times.get(eventId) === 1).length;
  const wrongGroups = counted.filter((group) => members.get(groupKey(group)) !== group.count);
  const again = deliveries.filter((delivery) => !delivery.counted).length;
  const result = finding("counted exactly once", saved.length, once);
  if (wrongGroups.length > 0 || counted.length !== members.size) {
    return { ...result, ok: false, note: `${wrongGroups.length} groups have a count that differs from their events` };
  }
  return { ...result, note: again > 0 ? `${again} came a second time and were not counted again` : "" };
}

/** Events from one piece of failing code share a group, and no two pieces do. */
function groups({ requests, saved, groups: found }: Evidence): Finding {
  const faults = new Map(requests.map(({ eventId, fault }) => [eventId, fault]));
  const pairs = new Set(saved.map((event) => `${faults.get(event.eventId) ?? "unknown"} ${groupKey(event)}`));
  const perFault = tally([...pairs].map((pair) => pair.split(" ", 1).join("")));
  const perGroup = tally([...pairs].map((pair) => pair.slice(pair.indexOf(" ") + 1)));
  const split = [...perFault]
    .filter(([, count]) => count > 1)
    .map(([fault, count]) => `events of ${fault} are in ${count} groups`);
  const mixed = [...perGroup]
    .filter(([, count]) => count > 1)
    .map(([group, count]) => `group ${group} holds ${count} faults`);
  const expected = new Set(requests.filter((request) => request.expected === "saved").map(({ fault }) => fault)).size;
  const result = finding("groups", expected, found.length);
  const wrong = [...split, ...mixed];
  return wrong.length === 0 ? result : { ...result, ok: false, note: wrong.join("; ") };
}

function deadLetters({ requests, deadErrors }: Evidence): Finding {
  const other = deadErrors.filter((name) => name !== "TypeError");
  const result = finding("dead-lettered with a TypeError", idsOf(requests, "dead").size, deadErrors.length);
  return other.length === 0
    ? result
    : { ...result, ok: false, note: `${other.length} died of something else: ${other[0]}` };
}

/** How many depends on timing; that there are some does not. */
function retried({ deliveries }: Evidence): Finding {
  const found = new Set(deliveries.filter(({ retries }) => retries > 0).map(({ messageId }) => messageId)).size;
  return { what: "retried, then saved", expected: "1 or more", found, ok: found > 0, note: "" };
}

/** What the killed worker held must be delivered again, marked as such. What was ignored or died then leaves no trace here. */
function cameBack({ deliveries, heldByKilled }: Evidence): Finding {
  const back = deliveries.filter(({ crashes }) => crashes > 0);
  const traced = new Set(deliveries.map(({ messageId }) => messageId));
  // A retry after the crash starts the count of crashes anew.
  const returned = new Set(
    deliveries.filter(({ crashes, retries }) => crashes > 0 || retries > 0).map(({ messageId }) => messageId),
  );
  const stuck = heldByKilled.filter((id) => traced.has(id) && !returned.has(id));
  const done = back.filter(({ counted }) => !counted).length;
  const result = { what: "came back from the killed worker", expected: "1 or more", found: back.length };
  if (heldByKilled.length === 0) return { ...result, ok: false, note: "the worker held nothing when it was killed" };
  if (stuck.length > 0) return { ...result, ok: false, note: describeIds("held by it and not delivered again", stuck) };
  return {
    ...result,
    ok: back.length > 0,
    note: done > 0 ? `${done} saved already: it died before it could say so` : "",
  };
}

/**
 * From the first tick to the last every second has one, and none was sent twice: then there would be two deliveries of it that are the first. One whose
 * worker died comes again, and says so.
 */
function ticks({ expiries }: Evidence): Finding {
  const times = [...new Set(expiries.map(({ messageId }) => Date.parse(messageId.replace(/^cron:[^:]+:/, ""))))];
  const seconds = times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000 + 1;
  const twice = [...tally(expiries.filter(({ crashes }) => crashes === 0).map(({ messageId }) => messageId))]
    .filter(([, count]) => count > 1)
    .map(([messageId]) => messageId);
  const result = finding("ticks of the schedule, each once", seconds, times.length);
  if (times.length < 2) return { ...result, ok: false, note: "too few to tell" };
  return twice.length === 0 ? result : { ...result, ok: false, note: describeIds("sent twice", twice) };
}

function finding(what: string, expected: number, found: number): Finding {
  return { what, expected: String(expected), found, ok: expected === found, note: "" };
}

function groupKey({ project, fingerprint }: { readonly project: string; readonly fingerprint: string }): string {
  return `${project} ${fingerprint}`;
}

function tally(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
