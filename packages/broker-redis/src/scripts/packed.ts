import { isUtf8 } from "node:buffer";

/**
 * Lua: `packed(texts)` is all of them as one text, which costs the client far less than as many elements of an answer, and the server little more.
 * Large ones stay a list: to copy them would cost the server more than the client saves.
 */
export const packing = `local function packed(texts)
  local total = 0
  for _, text in ipairs(texts) do total = total + #text end
  return total > 1000 * #texts and texts or cmsgpack.pack(texts)
end
`;

/** What `packed` made. What is no UTF-8 stays bytes. */
export function unpack(packed: Buffer | readonly Buffer[]): readonly (string | Buffer)[] {
  return Buffer.isBuffer(packed) ? readStrings(packed) : packed.map((text) => textOrBytes(text));
}

const replacementCharacter = "\ufffd";

export function textOrBytes(bytes: Buffer, from = 0, to: number = bytes.length): string | Buffer {
  const text = bytes.toString("utf8", from, to);
  // It stands for what is no UTF-8, and may have been sent as well.
  if (!text.includes(replacementCharacter)) return text;
  const part = bytes.subarray(from, to);
  return isUtf8(part) ? text : part;
}

/** Of an array in MessagePack, of nothing but strings: https://github.com/msgpack/msgpack/blob/master/spec.md */
function readStrings(packed: Buffer): readonly (string | Buffer)[] {
  const texts: (string | Buffer)[] = [];
  let at = 1 + (sizeBytesOfArray[packed[0] ?? 0] ?? 0);
  while (at < packed.length) {
    const type = packed.readUInt8(at);
    const sizeBytes = sizeBytesOfString[type];
    const from = at + 1 + (sizeBytes ?? 0);
    at = from + (sizeBytes === undefined ? type - shortestString : packed.readUIntBE(at + 1, sizeBytes));
    texts.push(textOrBytes(packed, from, at));
  }
  return texts;
}

/** How many bytes of size there are behind a first byte. Others stand for a short array or string, and contain the size. */
const sizeBytesOfArray: Readonly<Record<number, number>> = { 0xdc: 2, 0xdd: 4 };
const sizeBytesOfString: Readonly<Record<number, number>> = { 0xd9: 1, 0xda: 2, 0xdb: 4 };
const shortestString = 0xa0;
