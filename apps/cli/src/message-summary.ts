import { isJsonObject, type BrokerMessage, type JsonObject, type MalformedMessage } from "@q/core/broker";
import { printable } from "./output/printable.ts";

/** The task name in a stored message's headers, made safe to show; `?` when there is none. */
export function taskNameOf(message: BrokerMessage | MalformedMessage): string {
  if (isMalformed(message)) return "(malformed)";
  const { task } = message.headers;
  return typeof task === "string" ? printable(task) : "?";
}

export function messageIdOf(message: BrokerMessage | MalformedMessage): string | null {
  return isMalformed(message) ? null : message.id;
}

export function isMalformed(message: BrokerMessage | MalformedMessage): message is MalformedMessage {
  return "malformed" in message;
}

/** The headers, or nothing for a message that has none. */
export function headersOf(message: BrokerMessage | MalformedMessage): JsonObject {
  return !isMalformed(message) && isJsonObject(message.headers) ? message.headers : {};
}

/** The body as JSON, or as text when it is none. Shown only to who asks for arguments. */
export function bodyOf(message: BrokerMessage | MalformedMessage): unknown {
  const text = Buffer.from(isMalformed(message) ? message.raw : message.body).toString("utf8");
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not JSON, such as a foreign producer's pickle: show what is there.
    return text;
  }
}
