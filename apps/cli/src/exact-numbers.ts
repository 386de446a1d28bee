/**
 * Whether every whole number in a JSON text is still the same once JavaScript has read and written it: `9007199254740993` would become another one.
 * Fractions are not asked for: those are rounded everywhere.
 * @param json which was read without an error
 */
export function areNumbersExact(json: string): boolean {
  // Strings go, their escapes first: one pattern for both would need a stack as deep as a string is long.
  const withoutStrings = json.replaceAll(/\\./gs, "").replaceAll(/"[^"]*"/g, "");
  for (const [text] of withoutStrings.matchAll(/-?\d[\d.eE+-]*/g)) {
    if (/^-?\d+$/.test(text) && text !== "-0" && String(Number(text)) !== text) return false;
  }
  return true;
}
