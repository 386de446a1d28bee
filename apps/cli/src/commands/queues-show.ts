import { Option, type Usage } from "clipanion";
import { formatMs } from "@q/core";
import type { PeekedMessage, QueueInspector, WaitingState } from "@q/core/broker";
import { BrokerCommand, inspectorOf } from "../app-command.ts";
import { exitCode } from "../exit-code.ts";
import { flagNumber } from "../flag-values.ts";
import { valueFlag } from "../flag.ts";
import { selectQueues } from "../known-queues.ts";
import { messageIdOf, taskNameOf } from "../message-summary.ts";
import { isoTime } from "../output/numbers.ts";
import { printable } from "../output/printable.ts";
import type { Column } from "../output/table.ts";
import { queueColumns, queueRow } from "../queue-table.ts";

const columns: readonly Column[] = [
  { title: "ID", align: "left" },
  { title: "TASK", align: "left" },
  { title: "STATE", align: "left" },
  { title: "WHEN", align: "left" },
];

const states: readonly WaitingState[] = ["in-flight", "ready", "delayed"];
const words: Readonly<Record<WaitingState, string>> = { "in-flight": "running", ready: "waiting", delayed: "later" };

export class QueuesShowCommand extends BrokerCommand {
  static override readonly paths: string[][] = [["queues", "show"]];
  static override readonly operands: string = "<queue>";
  static override readonly usage: Usage = {
    details: "Looking takes nothing out of the queue. Arguments are not shown.",
    examples: [["the next ten", "q queues show email --limit 10"]],
  };

  queue: string = Option.String({ name: "queue" });
  limit: string | undefined = valueFlag("--limit", "n", "at most this many messages of each state (default 20)");

  async execute(): Promise<number> {
    const limit = flagNumber("--limit", this.limit, { from: 1, to: 1000 }) ?? 20;
    const { stats, peeked } = await this.withBroker(async ({ app }) => {
      const inspector = inspectorOf(app.broker);
      const [name = this.queue] = await selectQueues(app, inspector, [this.queue]);
      return { stats: await inspector.stats(name), peeked: await peekAll(inspector, name, limit) };
    });
    if (this.json) {
      this.output.json({ queue: stats, messages: peeked?.map(summaryOf) ?? null });
      return exitCode.done;
    }
    this.output.table(queueColumns, [queueRow(stats, this.output.colors)]);
    if (peeked === undefined)
      this.output.note("This broker cannot show waiting messages without disturbing their order.");
    else if (peeked.length > 0) {
      this.output.text("");
      this.output.table(
        columns,
        peeked.map((one) => [
          printable(messageIdOf(one.message) ?? "none"),
          taskNameOf(one.message),
          words[one.state],
          whenOf(one),
        ]),
      );
    }
    return exitCode.done;
  }
}

/** `undefined` when the broker cannot look without taking. */
async function peekAll(
  inspector: QueueInspector,
  queue: string,
  limit: number,
): Promise<readonly PeekedMessage[] | undefined> {
  if (inspector.peek === undefined) return undefined;
  const found: PeekedMessage[] = [];
  for (const state of states) found.push(...(await inspector.peek(queue, state, { limit })).items);
  return found;
}

function whenOf({ state, dueAt }: PeekedMessage): string {
  if (dueAt === null || state === "in-flight") return "";
  if (isoTime(dueAt) === null) return "?";
  const ms = dueAt - Date.now();
  return ms > 0 ? `in ${formatMs(ms)}` : `for ${formatMs(-ms)}`;
}

function summaryOf({ message, state, dueAt }: PeekedMessage): Record<string, unknown> {
  return {
    id: messageIdOf(message),
    task: taskNameOf(message),
    state: words[state],
    dueAt: dueAt === null ? null : isoTime(dueAt),
  };
}
