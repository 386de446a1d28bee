import type { FieldName } from "./field-name.ts";
import { versionsOf } from "./peer-versions.ts";
import { loadAnyPeer } from "./peers.ts";

/**
 * Those that are installed. Whatever is from npm always is.
 * @param onAbsent told of each of the others, and how to get it
 */
export async function presentPeers(
  field: FieldName,
  names: readonly string[],
  onAbsent: (why: string) => void,
): Promise<readonly string[]> {
  const present: string[] = [];
  for (const name of names) {
    const peer = await loadAnyPeer(field, name);
    if (versionsOf(peer) !== undefined) present.push(name);
    else if ("python" in peer)
      onAbsent(`${field}, without ${name}: it is not here, apt-get install ${peer.python.apt}`);
  }
  return present;
}
