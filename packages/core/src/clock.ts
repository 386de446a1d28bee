/** A timer that was set; cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Where time comes from, so that a test can own it. */
export interface Clock {
  /** Epoch milliseconds. May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds since an arbitrary start; never jumps. For measuring. */
  monotonic(): number;
  /**
   * Runs `callback` once, not before `delayMs` milliseconds have passed. Any length is allowed.
   * A timer alone does not keep the process alive unless `keepAlive` is set.
   */
  setTimer(delayMs: number, callback: () => void, options?: { readonly keepAlive?: boolean }): Timer;
}

/** Node counts timers in 32 bits; a longer delay would fire at once. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  setTimer(delayMs, callback, options = {}) {
    const dueAt = performance.now() + delayMs;
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const leftMs = Math.max(0, Math.ceil(dueAt - performance.now()));
      handle = setTimeout(() => (performance.now() < dueAt ? arm() : callback()), Math.min(leftMs, longestTimeoutMs));
      if (options.keepAlive !== true) handle.unref();
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Resolves `true` after `delayMs` milliseconds, or `false` as soon as `signal` aborts. Never rejects.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve(false);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      resolve(false);
    };
    const timer = clock.setTimer(
      delayMs,
      () => {
        signal?.removeEventListener("abort", onAbort);
        resolve(true);
      },
      { keepAlive: true },
    );
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Waits for `work`, but not longer than `mostMs` milliseconds: answers whether it ended. What it rejects with is raised. */
export async function atMost(clock: Clock, mostMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = clock.setTimer(mostMs, () => resolve(false), { keepAlive: true });
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer?.cancel();
  }
}
