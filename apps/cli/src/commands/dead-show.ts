import { Option, type Usage } from "clipanion";
import { isJsonObject, type JsonObject, type JsonValue } from "@q/core/broker";
import { BrokerCommand, inspectorOf } from "../app-command.ts";
import { deadByIds, type FoundLetter } from "../dead-letters.ts";
import { exitCode } from "../exit-code.ts";
import { listFlag, switchFlag } from "../flag.ts";
import { bodyOf, headersOf, isMalformed, messageIdOf, taskNameOf } from "../message-summary.ts";
import { counted, formatAgo, formatInstant, isoTime } from "../output/numbers.ts";
import { printable, printableJson } from "../output/printable.ts";
import { redactStrings } from "../output/redact-strings.ts";
import { redact } from "../output/redact.ts";
import { summaryOf } from "./dead-list.ts";

export class DeadShowCommand extends BrokerCommand {
  static override readonly paths: string[][] = [["dead", "show"]];
  static override readonly operands: string = "<id>";
  static override readonly usage: Usage = {
    details:
      "Shows why a task is dead and its chain of errors. Headers and arguments may hold personal data, so they are shown only with --args.",
    examples: [
      ["by id, or its first eight characters", "q dead show 01JD5Q4T"],
      ["with arguments, for a bug report of your own", "q dead show 01JD5Q4T1X --args"],
    ],
  };

  id: string = Option.String({ name: "id" });
  queues: string[] = listFlag("-Q,--queues", "names", "look only in these queues");
  args: boolean = switchFlag("--args", "also show headers and arguments");

  async execute(): Promise<number> {
    const found = await this.withBroker(({ app }) =>
      deadByIds(app, inspectorOf(app.broker), { words: [this.id], queues: this.queues, isChange: false }),
    );
    if (this.json) this.output.json({ dead: found.map((one) => this.#document(one)) });
    else this.output.text(found.map((one) => this.#page(one)).join("\n\n"));
    return exitCode.done;
  }

  #document(one: FoundLetter): Record<string, unknown> {
    const { message, reason } = one.letter;
    const shown = this.args ? { headers: headersOf(message), body: bodyOf(message) } : {};
    return { ...summaryOf(one), error: redactStrings(reason.error ?? null), ...shown };
  }

  #page({ queue, letter }: FoundLetter): string {
    const { message, reason } = letter;
    const { bold, dim, red } = this.output.colors;
    const facts: readonly (readonly [string, string])[] = [
      ["id", messageIdOf(message) ?? "none"],
      ["entry", letter.entryId],
      ["queue", queue],
      ["died", deathOf(letter.diedAt)],
      ["worker", reason.worker ?? "unknown"],
      ["retries", JSON.stringify(headersOf(message)["retries"] ?? 0)],
      ["size", counted(letter.size, "byte")],
    ];
    const lines = [
      `${bold(taskNameOf(message))}  ${red(printable(reason.code))}: ${redact(printable(reason.message))}`,
      ...facts.map(([label, value]) => `  ${dim(label.padEnd(8))}${printable(value)}`),
      ...errorLines(reason.error),
    ];
    if (this.args)
      lines.push(
        "",
        dim("headers"),
        printableJson(headersOf(message), 2),
        "",
        dim("arguments"),
        printableJson(bodyOf(message), 2),
      );
    const id = printable(messageIdOf(message) ?? letter.entryId);
    lines.push("", dim(isMalformed(message) ? `q dead drop ${id}` : `q dead retry ${id}   or   q dead drop ${id}`));
    return lines.join("\n");
  }
}

function deathOf(diedAt: number): string {
  return isoTime(diedAt) === null ? "?" : `${formatInstant(diedAt)}, ${formatAgo(diedAt, Date.now())}`;
}

/** The error with its stack, then each cause. */
function errorLines(error: JsonObject | undefined): string[] {
  const lines: string[] = [];
  let at: JsonValue | undefined = error;
  while (isJsonObject(at)) {
    const { name, message, stack, cause }: JsonObject = at;
    const text = typeof stack === "string" ? stack : `${JSON.stringify(name)}: ${JSON.stringify(message)}`;
    const lead = lines.length === 0 ? "" : "caused by ";
    lines.push("", ...text.split("\n").map((line, index) => `${index === 0 ? lead : ""}${redact(printable(line))}`));
    at = cause;
  }
  return lines;
}
