import { createInterface } from "node:readline/promises";
import type { CliContext } from "./cli-context.ts";
import { RefusedError } from "./cli-errors.ts";
import { redact } from "./output/redact.ts";

export interface Question {
  /** What is about to happen, with its number: `Drop 12 dead tasks for good?` */
  readonly question: string;
  /** A few of the things it is about, one a line. */
  readonly samples: readonly string[];
}

/**
 * Asks a person, unless `yes` was said on the command line. Answers whether to go on.
 * @throws RefusedError `Q2106` when there is nobody to ask
 */
export async function confirm(
  context: CliContext,
  { question, samples }: Question,
  options: { readonly yes: boolean },
): Promise<boolean> {
  if (options.yes) return true;
  if (!context.terminal.interactive) {
    throw new RefusedError("Q2106", `not done, because nobody could be asked: ${question}`, {
      hint: "--yes does it, --dry-run shows what it would do",
    });
  }
  context.stderr.write(redact([...samples.map((sample) => `  ${sample}`), `${question} [y/N] `].join("\n")));
  const lines = createInterface({ input: context.stdin });
  try {
    // Resolves with the line, or with nothing when the input ends.
    const answer = await new Promise<string>((resolve) => {
      lines.once("line", resolve);
      lines.once("close", () => resolve(""));
    });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
