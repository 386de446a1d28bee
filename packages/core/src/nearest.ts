import { closest, distance } from "fastest-levenshtein";

/** The candidate that `word` was probably meant to be, or `undefined` when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const found = closest(
    word.toLowerCase(),
    candidates.map((candidate) => candidate.toLowerCase()),
  );
  const candidate = candidates.find((one) => one.toLowerCase() === found);
  if (candidate === undefined) return undefined;
  return distance(word.toLowerCase(), found) <= mostEdits(word) ? candidate : undefined;
}

/** Two letters that changed places are two edits. */
function mostEdits(word: string): number {
  if (word.length < 4) return 1;
  return word.length < 9 ? 2 : 3;
}

/** `Did you mean "email"?`, or `undefined`. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? undefined : `Did you mean "${candidate}"?`;
}
