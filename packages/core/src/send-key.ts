import { durationMs } from "./duration.ts";
import { shortText } from "./known-options.ts";
import { ConfigError } from "./q-error.ts";
import type { SendOptions } from "./signature.ts";

/** A key of which there is one message at most. */
export interface SendKey {
  readonly key: string;
  readonly ttlMs: number;
}

/**
 * The key of a call; `null` where it has none.
 * @throws ConfigError `Q2010` for a bad `keyTtl`; `Q2017` for a key that is too long or empty, and for a `keyTtl` without one
 */
export function readSendKey(task: string, { key, keyTtl }: SendOptions): SendKey | null {
  if (key === undefined) {
    if (keyTtl === undefined) return null;
    throw new ConfigError("Q2017", `a send of ${task} has keyTtl without key`, { hint: "name a key as well" });
  }
  const ttlMs = durationMs(keyTtl ?? "1h", `keyTtl of ${task}`);
  if (ttlMs > 0) return { key: shortText(`key of ${task}`, key), ttlMs };
  throw new ConfigError("Q2010", `keyTtl of ${task} is "${keyTtl}": expected more than nothing`, {
    hint: 'leave it out for "1h"',
  });
}
