/**
 * Texts as two arguments of a script, or as two parts of its answer: client and server pay for each argument, and for a thousand of them more
 * than for what stands in them.
 */
export interface Packed {
  /** Bytes of each text, in order: `"12 7 30"`. */
  readonly sizes: string;
  readonly bytes: Buffer;
}

export function pack(texts: readonly string[]): Packed {
  const sizes = texts.map((text) => Buffer.byteLength(text));
  // Written one by one: V8 keeps a string of more than 100 KB apart, and that costs several times what writing it does.
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const text of texts) at += bytes.write(text, at);
  return { sizes: sizes.join(" "), bytes };
}

/** Lua: `texts(sizes, bytes)` is the list of them. */
export const unpacking = `local function texts(sizes, bytes)
  local list, from = {}, 1
  for size in sizes:gmatch('%d+') do
    list[#list + 1] = bytes:sub(from, from + size - 1)
    from = from + size
  end
  return list
end
`;
