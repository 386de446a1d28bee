import { Option, type Usage } from "clipanion";
import { ChangingCommand } from "../app-command.ts";
import { exitCode } from "../exit-code.ts";

export class SchedulePauseCommand extends ChangingCommand {
  static override readonly paths: string[][] = [["schedule", "pause"]];
  static override readonly operands: string = "<schedule...>";
  static override readonly usage: Usage = {
    details:
      "No process sends its ticks until it is resumed. What comes due meanwhile is missed, and its policy decides.",
    examples: [["while a partner is away", "q schedule pause digest"]],
  };

  names: string[] = Option.Rest({ name: "schedule", required: 1 });

  async execute(): Promise<number> {
    await this.withBroker(async ({ app }) => {
      for (const name of this.names) await app.schedules.pause(name);
    });
    if (this.json) this.output.json({ paused: this.names });
    else this.output.text(`Paused ${this.names.join(", ")}. Undo: q schedule resume ${this.names.join(" ")}`);
    return exitCode.done;
  }
}
