import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where this program lives. */
export const demoFolder: string = fileURLToPath(new URL("..", import.meta.url));

/** Where everything is written: `.q` beside the app, or what `DEMO_FOLDER` names. */
export const dataFolder: string = process.env["DEMO_FOLDER"] ?? join(demoFolder, ".q");

export const queueFile: string = join(dataFolder, "q.db");
export const spoolFile: string = join(dataFolder, "spool.db");
export const eventsFile: string = join(dataFolder, "events.db");

/** Deletes what an earlier run wrote, its databases with the files beside them and nothing else. */
export function clearDataFolder(): void {
  mkdirSync(dataFolder, { recursive: true });
  const prefixes = [queueFile, spoolFile, eventsFile].map((file) => basename(file));
  for (const name of readdirSync(dataFolder)) {
    if (prefixes.some((prefix) => name.startsWith(prefix))) rmSync(join(dataFolder, name));
  }
}
