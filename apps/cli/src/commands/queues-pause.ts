import { Option, type Usage } from "clipanion";
import { ChangingCommand, inspectorOf } from "../app-command.ts";
import { exitCode } from "../exit-code.ts";
import { selectQueues } from "../known-queues.ts";

export class QueuesPauseCommand extends ChangingCommand {
  static override readonly paths: string[][] = [["queues", "pause"]];
  static override readonly operands: string = "<queue...>";
  static override readonly usage: Usage = {
    details:
      "No worker takes from a paused queue, in any process, until it is resumed. What runs goes on, and sending stays possible.",
    examples: [["while a mail server is away", "q queues pause email"]],
  };

  names: string[] = Option.Rest({ name: "queue", required: 1 });

  async execute(): Promise<number> {
    const paused = await this.withBroker(async ({ app }) => {
      const inspector = inspectorOf(app.broker);
      const queues = await selectQueues(app, inspector, this.names);
      for (const queue of queues) await inspector.pause(queue);
      return queues;
    });
    if (this.json) this.output.json({ paused });
    else this.output.text(`Paused ${paused.join(", ")}. Undo: q queues resume ${paused.join(" ")}`);
    return exitCode.done;
  }
}
