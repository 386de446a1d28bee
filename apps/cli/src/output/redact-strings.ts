import { isJsonObject, type JsonValue } from "@q/core/broker";
import { redact } from "./redact.ts";

/** `redact` for every string in a JSON value: what an error says in its message it may say in its stack and its causes as well. */
export function redactStrings(value: JsonValue): JsonValue {
  if (typeof value === "string") return redact(value);
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, redactStrings(field)]));
  return Array.isArray(value) ? value.map((one: JsonValue) => redactStrings(one)) : value;
}
