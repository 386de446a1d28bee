import type { DeadReason } from "./broker/delivery.ts";
import { QError } from "./q-error.ts";

/**
 * A message is not one that q can run, now or later. Codes `Q4101` to `Q4106`:
 * too large, content type, compression, nesting, not JSON, not a task call.
 */
export class DecodeError extends QError {
  /** For the dead letter. */
  readonly reason: DeadReason;

  constructor(code: `Q41${string}`, message: string, hint?: string) {
    super(code, message, { hint });
    this.reason = { code: "malformed", message, error: { name: this.name, code, message } };
  }
}

/** A name from the message, fit for an error text: quoted, at most 60 characters. Only for what is not an argument. */
export function quoted(name: unknown): string {
  if (typeof name !== "string") return name === null ? "null" : `a value of type ${typeof name}`;
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 59)}…` : name);
}
