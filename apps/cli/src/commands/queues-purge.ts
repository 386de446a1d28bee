import { Option, type Usage } from "clipanion";
import type { QueueInspector } from "@q/core/broker";
import { AskingCommand, inspectorOf } from "../app-command.ts";
import { UsageError } from "../cli-errors.ts";
import { confirm } from "../confirm.ts";
import { exitCode } from "../exit-code.ts";
import { listFlag, switchFlag } from "../flag.ts";
import { selectQueues } from "../known-queues.ts";
import { messageIdOf, taskNameOf } from "../message-summary.ts";
import { counted } from "../output/numbers.ts";
import { printable } from "../output/printable.ts";

export class QueuesPurgeCommand extends AskingCommand {
  static override readonly paths: string[][] = [["queues", "purge"]];
  static override readonly operands: string = "[queue...]";
  static override readonly usage: Usage = {
    details:
      "Deletes every task that waits, now or for later. What runs goes on, and dead tasks stay. There is no undo.",
    examples: [
      ["see what would go", "q purge email --dry-run"],
      ["without being asked", "q purge -Q email,images --yes"],
    ],
  };

  names: string[] = Option.Rest();
  queues: string[] = listFlag("-Q,--queues", "names", "these queues, as operands do");
  all: boolean = switchFlag("--all", "every queue of the config");

  async execute(): Promise<number> {
    const asked = [...this.names, ...this.queues];
    if (this.all === asked.length > 0)
      throw new UsageError(
        "Q2103",
        this.all ? "--all and names of queues exclude each other" : "expected the names of queues, or --all",
      );
    return this.withBroker(async ({ app }) => {
      const inspector = inspectorOf(app.broker);
      const queues = await selectQueues(app, inspector, this.all ? app.queues.map(({ name }) => name) : asked);
      const waiting = await countWaiting(inspector, queues);
      if (this.dryRun) return this.#report(queues, waiting, 0);
      const question = {
        question: `Delete ${waiting === null ? "all waiting tasks" : counted(waiting, "waiting task")} of ${queues.join(", ")}? There is no undo.`,
        samples: await sample(inspector, queues),
      };
      if (waiting !== 0 && !(await confirm(this.context, question, { yes: this.yes })))
        return this.#report(queues, waiting, 0);
      let purged = 0;
      for (const queue of queues) purged += await inspector.purge(queue);
      return this.#report(queues, waiting, purged);
    });
  }

  #report(queues: readonly string[], waiting: number | null, purged: number): number {
    if (this.json) this.output.json({ queues, waiting, purged, dryRun: this.dryRun });
    else if (this.dryRun)
      this.output.text(
        `Would delete ${waiting === null ? "all waiting tasks" : counted(waiting, "waiting task")} of ${queues.join(", ")}.`,
      );
    else this.output.text(`Deleted ${counted(purged, "task")}.`);
    return exitCode.done;
  }
}

/** `null` when the broker cannot tell. */
async function countWaiting(inspector: QueueInspector, queues: readonly string[]): Promise<number | null> {
  let total = 0;
  for (const queue of queues) {
    const { ready, delayed } = await inspector.stats(queue);
    if (ready === null || delayed === null) return null;
    total += ready + delayed;
  }
  return total;
}

/** Three of what would go, where the broker can show them. */
async function sample(inspector: QueueInspector, queues: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const queue of queues) {
    const page = await inspector.peek?.(queue, "ready", { limit: 3 });
    lines.push(
      ...(page?.items ?? []).map(
        ({ message }) =>
          `${printable(messageIdOf(message) ?? "malformed")}  ${taskNameOf(message)}  ${printable(queue)}`,
      ),
    );
    if (lines.length >= 3) break;
  }
  return lines.slice(0, 3);
}
