import type { BrokerMessage, JsonValue } from "@q/core/broker";
import { schedulesQueue } from "./names.ts";
import type { Consignment } from "./parcel.ts";
import { encodeState, type ScheduleState } from "./schedule-state.ts";

/** Tells apart the messages of a tick that may have been sent twice. */
const copyHeader = "q_copy";
/** A uuid. Characters. */
const longestCopy = 36;

export function withCopy(message: BrokerMessage, copy: string): BrokerMessage {
  return { ...message, headers: { ...message.headers, [copyHeader]: copy } };
}

/** Empty for a message without one, or with something that no keeper has written. */
export function copyOf({ headers }: BrokerMessage): string {
  const copy = headers[copyHeader];
  return isCopy(copy) ? copy : "";
}

/** Whether it may be what a keeper has written, or nothing. */
export function isCopy(value: JsonValue | undefined): value is string {
  return typeof value === "string" && value.length <= longestCopy;
}

/** What lies in the queue of the schedules, told apart by AMQP's `type`: all that is known of them, what is asked, and what only marks a place. */
export const messageType = { state: "q.state", request: "q.request", mark: "q.mark" } as const;

/** @param keeper who stores it, and knows it by that when it comes back @throws BrokerError `Q1028` when it has grown too large */
export function stateMessage(state: ScheduleState, keeper: string): Consignment {
  return toQueue(schedulesQueue, encodeState(state), {
    type: messageType.state,
    messageId: `${keeper} ${state.version}`,
    contentType: "application/json",
    persistent: true,
  });
}

/** The version of a state that this keeper has stored; `undefined` for any other. */
export function storedVersion(messageId: string, keeper: string): number | undefined {
  return messageId.startsWith(`${keeper} `) ? Number(messageId.slice(keeper.length + 1)) : undefined;
}

/** A request that goes by itself when nobody waits for its answer any longer. */
export function requestMessage(id: string, withinMs: number): Pick<Consignment, "options"> {
  const expiration = String(Math.max(1, Math.ceil(withinMs)));
  return { options: { type: messageType.request, messageId: id, mandatory: true, expiration } };
}

/** Anything for one queue. */
export function toQueue(queue: string, content: Buffer, options: Consignment["options"]): Consignment {
  return { queue, exchange: "", routingKey: queue, content, options: { ...options, mandatory: true } };
}
