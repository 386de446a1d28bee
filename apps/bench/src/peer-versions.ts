import { versionOf } from "./machine.ts";
import type { AnyPeer } from "./peer.ts";
import { pythonVersions } from "./python-link.ts";

/** Of the packages of a peer; `undefined` where it is not installed. */
export function versionsOf(peer: AnyPeer): Readonly<Record<string, string>> | undefined {
  if ("python" in peer) return pythonVersions(peer.python.packages);
  return Object.fromEntries(peer.packages.map((packageName) => [packageName, versionOf(packageName)]));
}
