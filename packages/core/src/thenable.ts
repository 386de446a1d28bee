/** Whether there is something to wait for, as `await` sees it: functions too, and promises of other libraries. @throws what a getter of `then` throws */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  return "then" in value && typeof value.then === "function";
}
