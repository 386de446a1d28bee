import type { RedisServer } from "@q/test-servers";
import { queueKeys } from "../src/keys.ts";

/** When the lease of the only consumer of `default` ends, by the time of Redis. */
export async function endOfLease(server: RedisServer): Promise<number> {
  const { lease } = queueKeys("default", "");
  const [id] = (await server.command("ZRANGE", lease, 0, -1)) as string[]; // what ZRANGE answers
  return Number(await server.command("ZSCORE", lease, id ?? ""));
}
