import { Option, type Usage } from "clipanion";
import { bashCompletion } from "../completion/bash.ts";
import { completionCommands } from "../completion/completion-commands.ts";
import { shells } from "../completion/completion-spec.ts";
import { fishCompletion } from "../completion/fish.ts";
import { pwshCompletion } from "../completion/pwsh.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { exitCode } from "../exit-code.ts";
import { flagChoice } from "../flag-values.ts";
import { QCommand } from "../q-command.ts";

export class CompletionCommand extends QCommand {
  static override readonly paths: string[][] = [["completion"]];
  static override readonly operands: string = "<bash|zsh|fish|pwsh>";
  static override readonly usage: Usage = {
    details: "Prints a script that completes commands, flags, and the queues and tasks of the project you are in.",
    examples: [
      ["bash, in ~/.bashrc", "source <(q completion bash)"],
      ["zsh, once", `q completion zsh > "\${fpath[1]}/_q"`],
      ["fish, once", "q completion fish > ~/.config/fish/completions/q.fish"],
      ["PowerShell, in $PROFILE", "q completion pwsh | Out-String | Invoke-Expression"],
    ],
  };

  shell: string = Option.String({ name: "shell" });

  async execute(): Promise<number> {
    const shell = flagChoice("the shell", this.shell, shells) ?? "bash";
    const render = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion, pwsh: pwshCompletion }[shell];
    const script = render(await completionCommands());
    if (this.json) this.output.json({ shell, script });
    else this.context.stdout.write(script);
    return exitCode.done;
  }
}
