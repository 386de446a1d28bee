import { qCodeOf } from "../exit-code.ts";
import type { Colors } from "./colors.ts";
import { jsonVersion } from "./json-version.ts";
import { printable, printableJson } from "./printable.ts";
import { redact } from "./redact.ts";

export interface ErrorStyle {
  readonly colors: Colors;
  /** Whether to print the stack also of an error that is not a bug of ours. */
  readonly verbose: boolean;
}

interface Shape {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: readonly (readonly [label: string, text: string])[];
}

const bugCode = "Q9001";

/**
 * An error for people, on stderr: what happened, the nearest fix, where it comes from.
 *
 * ```
 * error Q2003  no queue named "emial"
 *              Did you mean "email"?
 *   known      email, default   (q.config.ts:14)
 * ```
 */
export function renderError(error: unknown, style: ErrorStyle): string {
  const { colors, verbose } = style;
  const { code, message, hint, details } = shapeOf(error);
  const lead = `error ${code}  `;
  const indent = " ".repeat(lead.length);
  const lines = [`${colors.red(colors.bold("error"))} ${code}  ${tidy(message).replaceAll("\n", `\n${indent}`)}`];
  if (hint !== undefined) lines.push(`${indent}${tidy(hint).replaceAll("\n", `\n${indent}`)}`);
  for (const [label, text] of details) lines.push(`  ${colors.dim(label.padEnd(lead.length - 2))}${tidy(text)}`);
  if (verbose || code === bugCode) lines.push("", colors.dim(tidy(stackOf(error))));
  return `${lines.join("\n")}\n`;
}

/** The same for programs: one JSON document on one line. */
export function renderErrorJson(error: unknown): string {
  const { code, message, hint, details } = shapeOf(error);
  const known =
    details.length === 0 ? undefined : Object.fromEntries(details.map(([label, text]) => [label, redact(text)]));
  const shown = { code, message: redact(message), hint: hint === undefined ? undefined : redact(hint), details: known };
  return `${printableJson({ v: jsonVersion, error: shown })}\n`;
}

function shapeOf(error: unknown): Shape {
  const code = qCodeOf(error);
  if (code === undefined) {
    return {
      code: bugCode,
      message: `q itself failed: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
      hint: "this is a bug in q; please report it with the lines below",
      details: [],
    };
  }
  // An error with one of our codes has these fields, or an older copy of the package that lacks them.
  const known = error as { message?: unknown; hint?: unknown; details?: Readonly<Record<string, unknown>> };
  return {
    code,
    message: String(known.message),
    hint: typeof known.hint === "string" ? known.hint : undefined,
    details: Object.entries(known.details ?? {}).map(([label, text]) => [label, String(text)] as const),
  };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause === undefined
    ? (error.stack ?? error.message)
    : `${error.stack ?? error.message}\ncaused by ${stackOf(cause)}`;
}

/** Safe to show, with its line breaks kept. */
function tidy(text: string): string {
  return redact(text).split("\n").map(printable).join("\n");
}
