import { Option, type Usage } from "clipanion";
import { retryHeaders } from "@q/core";
import type { JsonObject, QueueInspector } from "@q/core/broker";
import { DeadChangeCommand } from "../dead-change-command.ts";
import type { FoundLetter } from "../dead-letters.ts";
import { headersOf, isMalformed } from "../message-summary.ts";

export class DeadRetryCommand extends DeadChangeCommand {
  static override readonly paths: string[][] = [["dead", "retry"]];
  static override readonly operands: string = "[id...]";
  static override readonly usage: Usage = {
    details:
      "Puts dead tasks back at the end of their queue. Their retries are counted from zero again; id and arguments stay as they are.\n" +
      "The first eight characters of an id will do, as long as no other begins with them.",
    examples: [
      ["one", "q dead retry 01JD5Q4T1X"],
      ["all of a task", "q dead retry --all --task billing.charge"],
      ["see first", "q dead retry --all -Q email --dry-run"],
    ],
  };

  ids: string[] = Option.Rest();

  protected readonly verb = { name: "retry", question: "Retry", past: "Put back", isFinal: false } as const;

  protected change(inspector: QueueInspector, queue: string, letters: readonly FoundLetter[]): Promise<number> {
    const readable = letters.filter(({ letter }) => !isMalformed(letter.message));
    const malformed = letters.length - readable.length;
    if (malformed > 0) this.output.warn(`${malformed} malformed in ${queue}: nobody can run them, they stay dead`);
    const entries = readable.map(({ letter }) => ({
      entryId: letter.entryId,
      headers: freshHeaders(headersOf(letter.message)),
    }));
    return inspector.redrive(queue, entries);
  }
}

/** Counts anew, and is due now. An old date of expiry goes: a person has just said that it should run. */
function freshHeaders(headers: JsonObject): JsonObject {
  const fresh = retryHeaders(headers, { retries: 0, etaMs: null, sentAtMs: Date.now() });
  return "expires" in fresh ? { ...fresh, expires: null } : fresh;
}
