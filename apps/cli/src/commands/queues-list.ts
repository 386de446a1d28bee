import type { Usage } from "clipanion";
import { BrokerCommand, inspectorOf } from "../app-command.ts";
import { exitCode } from "../exit-code.ts";
import { listFlag } from "../flag.ts";
import { selectQueues } from "../known-queues.ts";
import { gapsNote, queueColumns, queueRow } from "../queue-table.ts";

export class QueuesListCommand extends BrokerCommand {
  static override readonly paths: string[][] = [["queues", "list"]];
  static override readonly usage: Usage = {
    details:
      "One line per queue: what could run now, what waits for its time, what runs, what is dead. Lists the config's queues, then those that only the broker knows.",
    examples: [
      ["all", "q queues"],
      ["two of them, for a script", "q queues list -Q email,images --json"],
    ],
  };

  queues: string[] = listFlag("-Q,--queues", "names", "only these");

  async execute(): Promise<number> {
    const { stats, note } = await this.withBroker(async ({ app }) => {
      const inspector = inspectorOf(app.broker);
      const names = await selectQueues(app, inspector, this.queues);
      const found = await Promise.all(names.map((name) => inspector.stats(name)));
      return { stats: found, note: gapsNote(inspector, found) };
    });
    if (this.json) {
      this.output.json({ queues: stats });
      return exitCode.done;
    }
    this.output.table(
      queueColumns,
      stats.map((one) => queueRow(one, this.output.colors)),
    );
    if (note !== undefined) this.output.note(note);
    return exitCode.done;
  }
}
