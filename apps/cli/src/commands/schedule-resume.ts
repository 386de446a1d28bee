import { Option, type Usage } from "clipanion";
import { ChangingCommand } from "../app-command.ts";
import { exitCode } from "../exit-code.ts";

export class ScheduleResumeCommand extends ChangingCommand {
  static override readonly paths: string[][] = [["schedule", "resume"]];
  static override readonly operands: string = "<schedule...>";
  static override readonly usage: Usage = {
    details: "Its ticks are sent again. Of those that came due meanwhile, what its policy says: by default the newest.",
    examples: [["when it may go on", "q schedule resume digest"]],
  };

  names: string[] = Option.Rest({ name: "schedule", required: 1 });

  async execute(): Promise<number> {
    await this.withBroker(async ({ app }) => {
      for (const name of this.names) await app.schedules.resume(name);
    });
    if (this.json) this.output.json({ resumed: this.names });
    else this.output.text(`Resumed ${this.names.join(", ")}. Undo: q schedule pause ${this.names.join(" ")}`);
    return exitCode.done;
  }
}
