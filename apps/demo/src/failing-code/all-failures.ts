import { asyncErrors, slowAsyncErrors } from "./async-errors.ts";
import { causes } from "./causes.ts";
import type { Failure } from "./failure.ts";
import { hardTexts } from "./hard-texts.ts";
import { languageErrors, slowLanguageErrors } from "./language-errors.ts";
import { oddThrows } from "./odd-throws.ts";
import { platformErrors, slowPlatformErrors } from "./platform-errors.ts";

const quick: readonly Failure[] = [
  ...languageErrors,
  ...platformErrors,
  ...asyncErrors,
  ...causes,
  ...oddThrows,
  ...hardTexts,
];
const slow: readonly Failure[] = [...slowLanguageErrors, ...slowPlatformErrors, ...slowAsyncErrors];

/** Every failure there is. */
export const allFailures: readonly Failure[] = [...quick, ...slow];

/** The failure of the nth event: all in turns, the slow ones once in the first round and then now and then. */
export function nthFailure(n: number): Failure {
  const turn = n % allFailures.length;
  const round = Math.floor(n / allFailures.length);
  // True: turn is smaller than the length, and so is the replacement for a slow one.
  const failure = allFailures[turn] as Failure;
  return slow.includes(failure) && round % 5 !== 0 ? (quick[round % quick.length] as Failure) : failure;
}
