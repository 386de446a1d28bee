import assert, { AssertionError } from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

const pollMs = 5;
const naps = 4;

/**
 * Lets at least `ms` milliseconds pass, in naps between which this process gets on with its work: on a machine that stands still for
 * all of one long sleep nothing happens either, and that proves nothing.
 */
export async function letPass(ms: number): Promise<void> {
  for (let nap = 0; nap < naps; nap += 1) await pause(ms / naps);
}

/**
 * Waits until `check` stops throwing assertions and does not answer `false`.
 * @throws AssertionError the last one, when that has not happened within `withinMs` milliseconds
 */
export async function eventually(check: () => unknown, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const failure = await failureOf(check);
    if (failure === undefined) return;
    if (performance.now() >= deadline) {
      throw new AssertionError({
        message: `not within ${withinMs} ms: ${failure.message}`,
        actual: failure.actual,
        expected: failure.expected,
      });
    }
    await pause(pollMs);
  }
}

/**
 * Waits for a promise of the broker under test.
 * @param what the sentence to fail with: `"publish ends"`
 * @throws AssertionError when it is still open after `withinMs` milliseconds
 */
export async function within<T>(promise: Promise<T>, withinMs: number, what: string): Promise<T> {
  const timeUp = new AbortController();
  const late = pause(withinMs, undefined, { signal: timeUp.signal }).then(() =>
    assert.fail(`not within ${withinMs} ms: ${what}`),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    timeUp.abort();
    // Cancelled, it rejects, and nobody is listening.
    late.catch(() => undefined);
  }
}

async function failureOf(check: () => unknown): Promise<AssertionError | undefined> {
  try {
    const answer = await check();
    return answer === false ? new AssertionError({ message: "the condition stayed false" }) : undefined;
  } catch (error) {
    if (error instanceof AssertionError) return error;
    throw error;
  }
}
