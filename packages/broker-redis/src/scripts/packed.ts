import { isAscii, isUtf8 } from "node:buffer";

/** Texts as two arguments of a script: client and server pay for each argument, and for a thousand of them more than for what stands in them. */
export interface Packed {
  /** Bytes of each text, in order: `"12 7 30"`. */
  readonly sizes: string;
  readonly bytes: string | Buffer;
}

/** V8 keeps a longer string apart from all others, which costs several times what writing it into a buffer does. */
const longestString = 100_000;

export function pack(texts: readonly string[]): Packed {
  const sizes = texts.map((text) => Buffer.byteLength(text));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return { sizes: sizes.join(" "), bytes: total < longestString ? texts.join("") : written(texts, total) };
}

function written(texts: readonly string[], size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const text of texts) at += bytes.write(text, at);
  return bytes;
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

/**
 * Lua, the other way: `packed(texts)` is their sizes and all of them in a row. Large ones stay a list, because Lua copies each several times
 * to join them, which costs more than the elements of an answer: as much from 500 bytes on, and eight times at 10 kB.
 */
export const packing = `local function packed(texts)
  local sizes, total = {}, 0
  for i, text in ipairs(texts) do
    sizes[i] = #text
    total = total + #text
  end
  return sizes, total > 500 * #texts and texts or table.concat(texts)
end
`;

/** What `packed` made. What is no UTF-8 stays bytes. */
export function unpack(sizes: readonly number[], bytes: Buffer | readonly Buffer[]): readonly (string | Buffer)[] {
  if (!Buffer.isBuffer(bytes)) return bytes.map(textOrBytes);
  const areAscii = isAscii(bytes);
  let from = 0;
  return sizes.map((size) => {
    const to = from + size;
    const part = areAscii ? bytes.toString("latin1", from, to) : textOrBytes(bytes.subarray(from, to));
    from = to;
    return part;
  });
}

export function textOrBytes(bytes: Buffer): string | Buffer {
  if (isAscii(bytes)) return bytes.toString("latin1");
  return isUtf8(bytes) ? bytes.toString() : bytes;
}
