import type { Usage } from "clipanion";
import { BrokerCommand, inspectorOf } from "../app-command.ts";
import { newestDead, type FoundLetter } from "../dead-letters.ts";
import { exitCode } from "../exit-code.ts";
import { flagNumber } from "../flag-values.ts";
import { listFlag, valueFlag } from "../flag.ts";
import { messageIdOf, taskNameOf } from "../message-summary.ts";
import { formatAgo, isoTime } from "../output/numbers.ts";
import { printable } from "../output/printable.ts";
import { redact } from "../output/redact.ts";
import type { Column } from "../output/table.ts";

const columns: readonly Column[] = [
  // Eight characters name a letter, and leave room for why it is there.
  { title: "ID", align: "left", shrinksTo: 9 },
  { title: "TASK", align: "left" },
  { title: "QUEUE", align: "left" },
  { title: "DIED", align: "left" },
  { title: "WHY", align: "left" },
  { title: "MESSAGE", align: "left", shrinksTo: 10 },
];

export class DeadListCommand extends BrokerCommand {
  static override readonly paths: string[][] = [["dead", "list"]];
  static override readonly usage: Usage = {
    details:
      "Dead tasks were given up and kept: retries exhausted, rejected, malformed, or known to nobody for too long. Newest first.",
    examples: [
      ["all of them", "q dead"],
      ["of one task", "q dead list --task billing.charge"],
      ["for a script", "q dead list -Q email --limit 500 --json"],
    ],
  };

  queues: string[] = listFlag("-Q,--queues", "names", "only in these queues");
  task: string | undefined = valueFlag("--task", "name", "only of this task");
  limit: string | undefined = valueFlag("--limit", "n", "at most this many (default 50)");

  async execute(): Promise<number> {
    const limit = flagNumber("--limit", this.limit, { from: 1, to: 100_000 }) ?? 50;
    const found = await this.withBroker(({ app }) =>
      newestDead(app, inspectorOf(app.broker), { queues: this.queues, task: this.task, limit }),
    );
    if (this.json) {
      this.output.json({ dead: found.map(summaryOf) });
      return exitCode.done;
    }
    if (found.length === 0) this.output.text("Nothing is dead.");
    this.output.table(
      columns,
      found.map((one) => this.#row(one)),
    );
    if (found.length === limit) this.output.note(`The newest ${limit}; --limit shows more.`);
    return exitCode.done;
  }

  #row({ queue, letter }: FoundLetter): string[] {
    return [
      printable(messageIdOf(letter.message) ?? letter.entryId),
      taskNameOf(letter.message),
      printable(queue),
      formatAgo(letter.diedAt, Date.now()),
      this.output.colors.red(printable(letter.reason.code)),
      redact(printable(letter.reason.message)),
    ];
  }
}

/** A dead letter as the JSON output shows it in lists. */
export function summaryOf({ queue, letter }: FoundLetter): Record<string, unknown> {
  return {
    entryId: letter.entryId,
    id: messageIdOf(letter.message),
    task: taskNameOf(letter.message),
    queue,
    diedAt: isoTime(letter.diedAt),
    reason: letter.reason.code,
    message: redact(letter.reason.message),
    worker: letter.reason.worker ?? null,
    size: letter.size,
  };
}
