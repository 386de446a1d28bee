import { Cli, type CommandClass } from "clipanion";
import type { CliContext } from "./cli-context.ts";
import { UsageError } from "./cli-errors.ts";
import { flagOf, type Flag } from "./flag.ts";
import type { QCommand } from "./q-command.ts";
import { splitArguments } from "./split-arguments.ts";

/** What a command accepts. */
export interface CommandShape {
  readonly flags: readonly Flag[];
  /** Names of the operands that must be there. */
  readonly required: readonly string[];
  /** Most operands; `Infinity` when the last one repeats. */
  readonly most: number;
}

/** One command, read by clipanion, with our own splitting of arguments and our own errors around it. */
export class CommandLine {
  readonly shape: CommandShape;
  readonly #cli = new ReadableCli({ binaryName: "q" });
  readonly #path: readonly string[];

  constructor(commandClass: CommandClass<CliContext>) {
    this.#cli.register(commandClass);
    this.shape = this.#cli.shapeOf(commandClass);
    this.#path = commandClass.paths?.[0] ?? [];
  }

  /**
   * The command with its options filled in.
   * @throws UsageError
   */
  parse(args: readonly string[], context: CliContext): QCommand {
    const { flags, operands } = splitArguments(args, this.shape.flags);
    const missing = this.shape.required[operands.length];
    if (missing !== undefined) {
      throw new UsageError("Q2103", `expected <${missing}>`, {
        hint: `q ${this.#path.join(" ")} --help shows how it is called`,
      });
    }
    const superfluous = operands[this.shape.most];
    if (superfluous !== undefined) {
      throw new UsageError("Q2103", `"${superfluous}" is one argument too many`, {
        hint: `q ${this.#path.join(" ")} --help shows how it is called`,
      });
    }
    // Only classes that extend QCommand stand in the command table.
    return this.#cli.process([...this.#path, ...flags, "--", ...operands], context) as QCommand;
  }
}

/** Lets us read what clipanion knows about a command. */
class ReadableCli extends Cli<CliContext> {
  shapeOf(commandClass: CommandClass<CliContext>): CommandShape {
    const builder = this.registrations.get(commandClass)?.builder;
    if (builder === undefined) throw new Error("shapeOf was called before register");
    const { leading, extra, trailing } = builder.arity;
    return {
      flags: builder.options.filter((option) => !option.hidden).map(flagOf),
      required: [...leading, ...trailing],
      // What is not a list of names is clipanion's mark for "any number".
      most: Array.isArray(extra) ? leading.length + extra.length + trailing.length : Infinity,
    };
  }
}
