import type { ProcessIdentity } from "@q/core/broker";

/** A process as the part of a consumer's id that tells whether it still lives. */
export function processName({ pid, startedAt, bootId, pidNamespace }: ProcessIdentity): string {
  return [pid, startedAt ?? "", bootId ?? "", pidNamespace ?? ""].join(",");
}

/** The process in a consumer's id, or `undefined` when it names none. */
export function processOf(consumerId: string): ProcessIdentity | undefined {
  const [pid, startedAt, bootId, pidNamespace] = consumerId.slice(consumerId.indexOf("@") + 1).split(",");
  if (pidNamespace === undefined || !/^[1-9]\d{0,9}$/.test(pid ?? "")) return undefined;
  return { pid: Number(pid), startedAt: startedAt || null, bootId: bootId || null, pidNamespace: pidNamespace || null };
}
