import { isJsonObject, parseJson, type JsonValue } from "../json.ts";
import type { DeadReason } from "./delivery.ts";

const unreadable: DeadReason = { code: "unknown", message: "the reason that is stored with it cannot be read" };

/** The reason that was stored as JSON with a dead letter. Never throws: whatever a store holds, an operator must be able to see the letter. */
export function parseDeadReason(text: string): DeadReason {
  const value = jsonOf(text);
  return isReason(value) ? value : unreadable;
}

function jsonOf(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch {
    // Not written by q.
    return null;
  }
}

function isReason(value: JsonValue): value is JsonValue & DeadReason {
  return isJsonObject(value) && typeof value["code"] === "string" && typeof value["message"] === "string";
}
