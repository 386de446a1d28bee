import { Option, type Usage } from "clipanion";
import { ChangingCommand, inspectorOf } from "../app-command.ts";
import { exitCode } from "../exit-code.ts";
import { selectQueues } from "../known-queues.ts";

export class QueuesResumeCommand extends ChangingCommand {
  static override readonly paths: string[][] = [["queues", "resume"]];
  static override readonly operands: string = "<queue...>";
  static override readonly usage: Usage = {
    details: "Workers take from a paused queue again. Resuming one that is not paused changes nothing.",
    examples: [["after a pause", "q queues resume email"]],
  };

  names: string[] = Option.Rest({ name: "queue", required: 1 });

  async execute(): Promise<number> {
    const resumed = await this.withBroker(async ({ app }) => {
      const inspector = inspectorOf(app.broker);
      const queues = await selectQueues(app, inspector, this.names);
      for (const queue of queues) await inspector.resume(queue);
      return queues;
    });
    if (this.json) this.output.json({ resumed });
    else this.output.text(`Resumed ${resumed.join(", ")}.`);
    return exitCode.done;
  }
}
