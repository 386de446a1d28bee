/** Longest that anything is waited for. Milliseconds. */
const longestMs = 20_000;
/** Far longer than it takes until the leases of a second are renewed elsewhere. Milliseconds. */
const blockMs = 1000;

/** Blocks the event loop, again and again, until something has come of it. @throws Error when nothing does */
export async function blockUntil(isDone: () => boolean): Promise<void> {
  const never = new Int32Array(new SharedArrayBuffer(4));
  const until = performance.now() + longestMs;
  while (!isDone()) {
    if (performance.now() > until) throw new Error("expected something to come of a blocked event loop");
    Atomics.wait(never, 0, 0, blockMs);
    // What came meanwhile is heard.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
