const checkEveryMs = 500;
/** Shorter pauses are what garbage collection and large JSON look like. */
const worthTellingMs = 1000;

/** Notices that something has kept the event loop from turning. It goes by the machine's time: a test's clock cannot block. */
export class LoopLag {
  readonly #timer: NodeJS.Timeout;

  /** @param onBlocked told, once the loop turns again, how long it stood still */
  constructor(onBlocked: (ms: number) => void) {
    let expectedAt = performance.now() + checkEveryMs;
    this.#timer = setInterval(() => {
      const now = performance.now();
      const lateMs = now - expectedAt;
      expectedAt = now + checkEveryMs;
      if (lateMs >= worthTellingMs) onBlocked(lateMs);
    }, checkEveryMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
