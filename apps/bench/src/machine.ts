import { cpus, loadavg, totalmem } from "node:os";
import { readFileSync } from "node:fs";

/** Where it was measured, without anything that names the machine. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Its name and version. */
  readonly server: string;
  /** Processes that wanted a processor in the last minute. More than there are processors spoil rates and latencies. */
  readonly load: number;
}

/** Asked before the bench itself makes it busy. */
export function describeMachine(server: string): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    processors: processors.length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    server,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

/** The version of a package that this app depends on. */
export function versionOf(packageName: string): string {
  // Not by its exports, which need not name the file.
  const file = new URL(`../node_modules/${packageName}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string }; // every package has one
  return version;
}
