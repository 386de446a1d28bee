/** Waits for all to start. When one cannot, the others are stopped before that one's error is thrown. */
export async function startTogether<T extends { stop(): Promise<void> }>(
  starting: readonly Promise<T>[],
): Promise<T[]> {
  const results = await Promise.allSettled(starting);
  const started = results.filter((result) => result.status === "fulfilled").map((result) => result.value);
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return started;
  await Promise.all(started.map((one) => one.stop()));
  throw failed.reason;
}
