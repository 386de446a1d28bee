/** What an error can say beyond its message. */
export interface QErrorOptions {
  /** The nearest fix: a command to run, or a line of code to write. */
  readonly hint?: string | undefined;
  /** Further facts by label, such as `known: "email, default"`. Never a payload, never a secret. */
  readonly details?: Readonly<Record<string, string>> | undefined;
  readonly cause?: unknown;
}

/**
 * Every error that q raises on purpose. Tell errors apart by `code`, which never changes,
 * not by class or text: two copies of a package then do no harm. Every code stands in `errors.md`.
 */
export class QError extends Error {
  /** `Q` and four digits: 1 broker, 2 configuration, 3 sending, 4 running. */
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, string>>;

  constructor(code: string, message: string, options: QErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** The app, a task or an option is declared wrongly. Codes `Q2xxx`. Fix the program; retrying cannot help. */
export class ConfigError extends QError {}

/** `true` for an error of ours with this code, from whichever copy of the package it comes. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === "object" && error !== null && (error as { code?: unknown }).code === code;
}
