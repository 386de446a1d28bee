import type { CliContext } from "../cli-context.ts";
import { colors, type Colors } from "./colors.ts";
import { jsonVersion } from "./json-version.ts";
import { printable, printableJson } from "./printable.ts";
import { redact } from "./redact.ts";
import { renderTable, type Column } from "./table.ts";

/** Where a command writes: data to stdout, all else to stderr. */
export class Output {
  readonly colors: Colors;
  readonly #context: CliContext;
  readonly #quiet: boolean;

  constructor(context: CliContext, options: { readonly quiet: boolean }) {
    this.#context = context;
    this.#quiet = options.quiet;
    this.colors = colors(context.terminal.stdoutColor);
  }

  /** The result, as text. A line feed is added. */
  text(text: string): void {
    this.#context.stdout.write(`${text}\n`);
  }

  /** The result, as one JSON document on one line. */
  json(document: Readonly<Record<string, unknown>>): void {
    this.text(printableJson({ v: jsonVersion, ...document }));
  }

  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    this.#context.stdout.write(
      renderTable(columns, rows, { width: this.#context.terminal.width, heading: this.colors.dim }),
    );
  }

  /** Something for people beside the result, on one line. `--quiet` silences it. */
  note(text: string): void {
    if (!this.#quiet) this.#context.stderr.write(`${redact(printable(text))}\n`);
  }

  /** Something that people should look at, on one line. Not silenced. */
  warn(text: string): void {
    this.#context.stderr.write(
      `${colors(this.#context.terminal.stderrColor).yellow("!")} ${redact(printable(text))}\n`,
    );
  }
}
