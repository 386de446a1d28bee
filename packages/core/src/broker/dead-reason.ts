import { isJsonObject, tryParseJson, type JsonObject, type JsonValue } from "../json.ts";
import type { DeadReason } from "./delivery.ts";

const unreadable: DeadReason = { code: "unknown", message: "the reason that is stored with it cannot be read" };

/** The reason that was stored as JSON with a dead letter. Never throws: whatever a store holds, an operator must be able to see the letter. */
export function parseDeadReason(text: string): DeadReason {
  const value = tryParseJson(text);
  return isDeadReason(value) ? value : unreadable;
}

/** Whether it has what every reason has. */
export function isDeadReason(value: JsonValue | undefined): value is JsonObject & DeadReason {
  return isJsonObject(value) && typeof value["code"] === "string" && typeof value["message"] === "string";
}
