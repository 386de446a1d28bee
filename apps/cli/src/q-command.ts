import { Command } from "clipanion";
import type { CliContext } from "./cli-context.ts";
import { switchFlag } from "./flag.ts";
import { Output } from "./output/output.ts";

/** What every command has. `execute` answers with the exit code; errors are thrown. */
export abstract class QCommand extends Command<CliContext> {
  /** The operands in the usage line of the help page: `<task> [args]`. */
  static readonly operands: string = "";

  json: boolean = switchFlag("--json", "print one JSON document instead of text");
  quiet: boolean = switchFlag("-q,--quiet", "no notes on stderr, only errors");
  verbose: boolean = switchFlag("-v,--verbose", "errors with their stack");
  noColor: boolean = switchFlag("--no-color", "no colours");

  #output: Output | undefined;

  protected get output(): Output {
    this.#output ??= new Output(this.context, { quiet: this.quiet });
    return this.#output;
  }

  /** What comes before `execute`, which may then look at the environment. */
  prepare(): void {}

  abstract override execute(): Promise<number>;
}
