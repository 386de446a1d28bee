/**
 * Runs `body` and answers what was rejected meanwhile without anybody listening.
 * The listeners of the test runner stand aside for that time, so that the finding is the check's and not the whole run's.
 */
export async function unhandledRejections(body: () => Promise<void>): Promise<unknown[]> {
  const strays: unknown[] = [];
  const collect = (reason: unknown): void => void strays.push(reason);
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", collect);
  try {
    await body();
  } finally {
    process.off("unhandledRejection", collect);
    for (const listener of others) process.on("unhandledRejection", listener);
  }
  return strays;
}
