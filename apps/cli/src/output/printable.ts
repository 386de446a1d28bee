import { stripVTControlCharacters } from "node:util";

// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const steering = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text from a message or an error, safe to show: one line, no terminal escapes, no invisible characters that turn the reading direction.
 * Whoever can send a message must not be able to steer the terminal of who reads about it.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\r\n\t]+/g, " ")
    .replace(steering, "\uFFFD");
}

/**
 * The value as JSON that is safe to show. JSON itself escapes only some of the characters that steer a terminal: written as `\u009b`, the others stand for the same.
 * @param indent blanks for each level; 0: all on one line
 */
export function printableJson(value: unknown, indent = 0): string {
  const json = JSON.stringify(value, undefined, indent);
  return json.replace(steering, (sign) =>
    sign === "\n" ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** At most `length` characters, with an ellipsis in place of the rest. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1)).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
