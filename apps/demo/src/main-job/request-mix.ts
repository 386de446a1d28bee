import { randomUUID } from "node:crypto";
import { maxEventBytes, maxEventDepth } from "../events/check-event.ts";
import type { ErrorEvent } from "../events/error-event.ts";
import { nthFailure } from "../failing-code/all-failures.ts";
import { raise } from "../failing-code/failure.ts";
import { demoFolder } from "../folder.ts";
import { eventOfError } from "../reporter/event-of-error.ts";

/** What must become of a request. Known when it is sent, so that the check can compare. */
export type Expected =
  /** Accepted and saved. */
  | "saved"
  /** Accepted; the same event was sent before. It must not be counted twice. */
  | "repeated"
  /** Accepted, then ignored by its task: its project has been deleted. */
  | "ignored"
  /** Accepted, then its task fails on a programming error. */
  | "dead"
  /** Not accepted. */
  | "refused";

/** One request to the service. */
export interface PreparedRequest {
  readonly expected: Expected;
  readonly eventId: string;
  /** Name of the failing code that the event comes from; the events of one make one group. */
  readonly fault: string;
  readonly body: string;
  /** Status of the answer. */
  readonly status: number;
}

/** What came back for one request. */
export interface SentRequest {
  readonly expected: Expected;
  readonly eventId: string;
  readonly fault: string;
  readonly expectedStatus: number;
  /** Status of the answer; 0 when there was none. */
  readonly status: number;
  /** From the first byte sent to the answer's last. */
  readonly ms: number;
}

/** The project that exists. */
export const liveProject = "shop";
/** A project that was deleted; its clients do not know. */
export const deletedProject = "old-shop";

/** How long ago, in requests, an event was first sent that is sent again. */
const repeatAfter = 8;

/**
 * Makes requests for error events by running failing code. Of every hundred, four are of a deleted project, two hold what the task
 * cannot handle, three repeat an earlier event, and two are refused at the door; the others are plain. Which is which depends on nothing
 * but its number.
 */
export class RequestMix {
  readonly #toRepeat: Map<number, Promise<PreparedRequest>> = new Map();

  /** The request of this number. Numbers are to be asked for in order, several at a time. */
  async next(index: number): Promise<PreparedRequest> {
    const place = index % 100;
    if (isRepeat(place)) {
      const first = await this.#toRepeat.get(index);
      this.#toRepeat.delete(index);
      if (first !== undefined) return { ...first, expected: "repeated" };
    }
    const request = prepare(index, place);
    if (isRepeat((place + repeatAfter) % 100)) this.#toRepeat.set(index + repeatAfter, request);
    return await request;
  }
}

/** 17, 47 and 77. */
function isRepeat(place: number): boolean {
  return place % 30 === 17;
}

async function prepare(index: number, place: number): Promise<PreparedRequest> {
  if (place === 49 || place === 99) return refusedRequest(index, await errorEvent(index, liveProject));
  const expected: Expected = place % 25 === 11 ? "ignored" : place % 50 === 23 ? "dead" : "saved";
  const event = await errorEvent(index, expected === "ignored" ? deletedProject : liveProject);
  const body = JSON.stringify(expected === "dead" ? { ...event, request: headersAsPairs } : event);
  return { expected, eventId: event.event_id, fault: nthFailure(index).name, body, status: 200 };
}

/** Sentry's protocol allows this form; the task was not written for it. */
const headersAsPairs = {
  url: "https://shop.example/checkout",
  headers: [
    ["Host", "shop.example"],
    ["User-Agent", "Mozilla/5.0"],
  ],
};

async function errorEvent(index: number, project: string): Promise<ErrorEvent> {
  const thrown = await raise(nthFailure(index), index);
  return eventOfError(thrown.value, { project, release: "shop@2.4.1", environment: "production", root: demoFolder });
}

/** Each of the service's limits in turn. */
function refusedRequest(index: number, event: ErrorEvent): PreparedRequest {
  const ways: (() => { body: string; status: number })[] = [
    () => ({ body: JSON.stringify({ ...event, extra: "x".repeat(maxEventBytes) }), status: 413 }),
    () => ({ body: `{"event_id": "${event.event_id}"`, status: 400 }),
    () => ({ body: JSON.stringify({ ...event, event_id: undefined }), status: 400 }),
    () => ({ body: JSON.stringify({ ...event, extra: nested(maxEventDepth) }), status: 400 }),
  ];
  const way = ways[Math.floor(index / 50) % ways.length];
  if (way === undefined) throw new Error("there is a way for every index");
  return { expected: "refused", eventId: randomUUID(), fault: "refused", ...way() };
}

function nested(depth: number): unknown {
  let value: unknown = "bottom";
  for (let level = 0; level < depth; level++) value = { value };
  return value;
}
