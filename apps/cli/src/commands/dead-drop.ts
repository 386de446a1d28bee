import { Option, type Usage } from "clipanion";
import type { QueueInspector } from "@q/core/broker";
import { DeadChangeCommand } from "../dead-change-command.ts";
import type { FoundLetter } from "../dead-letters.ts";

export class DeadDropCommand extends DeadChangeCommand {
  static override readonly paths: string[][] = [["dead", "drop"]];
  static override readonly operands: string = "[id...]";
  static override readonly usage: Usage = {
    details:
      "Deletes dead tasks for good. There is no undo: `q dead show <id> --args --json` prints one before you drop it.\n" +
      "The first eight characters of an id will do, as long as no other begins with them.",
    examples: [
      ["one", "q dead drop 01JD5Q4T1X"],
      ["all of a task", "q dead drop --all --task billing.charge"],
    ],
  };

  ids: string[] = Option.Rest();

  protected readonly verb = { name: "drop", question: "Drop", past: "Dropped", isFinal: true } as const;

  protected change(inspector: QueueInspector, queue: string, letters: readonly FoundLetter[]): Promise<number> {
    return inspector.drop(
      queue,
      letters.map(({ letter }) => letter.entryId),
    );
  }
}
