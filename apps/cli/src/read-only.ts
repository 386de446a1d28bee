import { RefusedError } from "./cli-errors.ts";

/**
 * Lets a change through unless `Q_READ_ONLY` is set, for shells in which people only look. Anything but empty, `0`, `false` and `no` sets it.
 * @throws RefusedError `Q2119`
 */
export function refuseWhereReadOnly(env: Readonly<Record<string, string | undefined>>): void {
  if (/^(0|false|no)?$/i.test(env["Q_READ_ONLY"] ?? "")) return;
  throw new RefusedError("Q2119", "not done: Q_READ_ONLY is set, and this changes what is in the broker", {
    hint: "do it from where changes are allowed",
  });
}
