import { readFileSync } from "node:fs";

const page = readFileSync(new URL("../ACL.md", import.meta.url), "utf8");

/** What `ACL.md` tells to send after `ACL`, for one user. */
export function setUser(name: string): readonly string[] {
  const [, command] = new RegExp(`^ACL (SETUSER ${name} .*)$`, "m").exec(page) ?? [];
  if (command === undefined) throw new Error(`expected ACL.md to have a command for ${name}`);
  return (command.match(/"[^"]*"|\S+/g) ?? []).map(unquoted);
}

/** A word as redis-cli reads it. */
function unquoted(word: string): string {
  return word
    .replaceAll('"', "")
    .replaceAll(/\\x([0-9a-f]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
