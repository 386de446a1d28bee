/** `/app/src/a.ts:3:19`: the first place in a stack, or in a parser's message, that lies in the user's own code. */
export function placeIn(text: string): string | undefined {
  for (const match of text.matchAll(/(?<=^|[\s(]|file:\/\/)((?:\/|[A-Za-z]:[\\/])[^\s():]*):(\d+):(\d+)/gm)) {
    const [, file = "", line = "", column = ""] = match;
    if (!file.includes("node_modules") && !file.startsWith("node:")) return `${file}:${line}:${column}`;
  }
  return undefined;
}
