// Bounded repetitions, so that no text, however made, takes longer than its length. A file has no credentials, and its path may hold an @, as
// that of a scoped package does in every stack.
const url = /\b(?!file:)([a-z][a-z0-9+.-]{0,30}):\/\/([^\s"'<>`@]{0,2000}(?:@[^\s"'<>`@]{0,2000}){0,5})@/gi;
const secretParameter =
  /([?&][^=&?\s#]{0,60}(?:pass|secret|token|credential|api_?key)[^=&?\s#]{0,60}=)[^&\s#"']{1,2000}/gi;

/**
 * Hides the credentials in every URL of a text: `redis://app:***@host`, `amqp://***@host`, `?password=***`.
 * The one place that knows what a credential looks like; errors, log lines and tables all pass through it.
 */
export function redact(text: string): string {
  const hidden = text.includes("://") ? text.replace(url, hideUser) : text;
  return hidden.includes("=") ? hidden.replace(secretParameter, "$1***") : hidden;
}

/** @param upToAt all between the slashes and the last @ */
function hideUser(_match: string, scheme: string, upToAt: string): string {
  const rest = `${upToAt}@`;
  // In a web address an @ behind a slash belongs to the path. Elsewhere it ends a password with a slash that should have been escaped.
  const end = /^https?$/i.test(scheme) ? (rest.split(/[/?#]/, 1)[0] ?? "").lastIndexOf("@") : upToAt.length;
  if (end === -1) return `${scheme}://${rest}`;
  const colon = rest.slice(0, end).indexOf(":");
  return `${scheme}://${colon === -1 ? "" : `${rest.slice(0, colon)}:`}***${rest.slice(end)}`;
}
