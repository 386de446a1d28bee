import { Option, type Usage } from "clipanion";
import { BrokerCommand } from "../app-command.ts";
import { exitCode } from "../exit-code.ts";
import { loadImports } from "../load-app.ts";

export class ScheduleTriggerCommand extends BrokerCommand {
  static override readonly paths: string[][] = [["schedule", "trigger"]];
  static override readonly operands: string = "<schedule>";
  static override readonly usage: Usage = {
    details:
      "Sends its task now, with its arguments and options, as q send would. Its ticks go on as they were. Prints the id on stdout.",
    examples: [["do not wait for the night", "q schedule trigger digest"]],
  };

  schedule: string = Option.String({ name: "schedule" });

  async execute(): Promise<number> {
    const sent = await this.withBroker(
      ({ app }) => app.schedules.trigger(this.schedule),
      async (loaded) => void (await loadImports(loaded, this.context)),
    );
    if (this.json) this.output.json({ ...sent });
    else {
      this.output.text(sent.id);
      this.output.note(`sent ${sent.task} to ${sent.queue}`);
    }
    return exitCode.done;
  }
}
