import type { BenchArguments } from "./bench-arguments.ts";
import type { FieldName } from "./field-name.ts";
import { versionsOf } from "./peer-versions.ts";
import { loadAnyPeer, peerNames } from "./peers.ts";

/**
 * The ones that are asked for by name, or all that a run of this kind has, as far as they are installed. Whatever is from npm always is.
 * @param onLeft told why a peer is left out that nobody has ruled out
 */
export async function choosePeers(
  field: FieldName,
  { peers: asked, isQuick }: Pick<BenchArguments, "peers" | "isQuick">,
  onLeft: (why: string) => void,
): Promise<readonly string[]> {
  const chosen: string[] = [];
  for (const name of peerNames(field)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const peer = await loadAnyPeer(field, name);
    if (isQuick && asked.length === 0 && peer.isForFullRuns === true)
      onLeft(`${field}, without ${name}: in full runs only`);
    else if (versionsOf(peer) !== undefined) chosen.push(name);
    else if ("python" in peer) onLeft(`${field}, without ${name}: it is not here, apt-get install ${peer.python.apt}`);
  }
  return chosen;
}
