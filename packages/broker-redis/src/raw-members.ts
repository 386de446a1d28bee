/**
 * The members of a JSON object, each with its value as it is written: an integer that a number cannot hold stays what it is.
 * @param text of an object, or of `null`, that a parser has accepted
 */
export function readMembers(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let depth = 0;
  let name: string | undefined;
  let valueAt = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') {
      const end = endOfString(text, at);
      // A string, which JSON.parse makes nothing else of.
      if (depth === 1) name ??= JSON.parse(text.slice(at, end + 1)) as string;
      at = end;
    } else if (char === "{" || char === "[") {
      depth += 1;
    } else if (char === ":" && depth === 1) {
      valueAt = at + 1;
    } else if (char === "}" || char === "]") {
      depth -= 1;
    }
    const endsMember = (char === "," && depth === 1) || (char === "}" && depth === 0);
    if (endsMember && name !== undefined) {
      members.set(name, text.slice(valueAt, at).trim());
      name = undefined;
    }
  }
  return members;
}

/** The object again. */
export function writeMembers(members: ReadonlyMap<string, string>): string {
  return `{${Array.from(members, ([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
}

/** Index of the quote that ends the string beginning at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
  return at;
}
