import { readFileSync } from "node:fs";

/** What a page tells to send after `ACL`, for one user: `ACL SETUSER app reset on …`, a line of its own. */
export function aclOfPage(page: URL, user: string): readonly string[] {
  const [, command] = new RegExp(`^ACL (SETUSER ${user} .*)$`, "m").exec(readFileSync(page, "utf8")) ?? [];
  if (command === undefined) throw new Error(`expected ${page.pathname} to have a command for ${user}`);
  return (command.match(/"[^"]*"|\S+/g) ?? []).map(unquoted);
}

/** A word as redis-cli reads it. */
function unquoted(word: string): string {
  return word
    .replaceAll('"', "")
    .replaceAll(/\\x([0-9a-f]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
