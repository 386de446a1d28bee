import picocolors from "picocolors";

/** Colour functions that return their text as it is when colours are off. */
export type Colors = ReturnType<typeof picocolors.createColors>;

export function colors(enabled: boolean): Colors {
  return picocolors.createColors(enabled);
}
