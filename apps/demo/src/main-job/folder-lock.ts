import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "../folder.ts";
import { DatabaseUnavailable } from "../stores/database-error.ts";
import { openDatabase } from "../stores/database.ts";

/** Another main job uses the folder. */
export class FolderTaken extends Error {}

/**
 * Makes sure that this main job is the only one in its folder; SQLite's lock ends with the process, however that ends.
 * @returns gives the folder free
 * @throws FolderTaken
 */
export async function takeFolder(): Promise<() => void> {
  mkdirSync(dataFolder, { recursive: true });
  const database = await openDatabase(join(dataFolder, "main-job.lock"), { patienceMs: 0 });
  try {
    database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    database.close();
    if (!(error instanceof DatabaseUnavailable)) throw error;
    throw new FolderTaken(`another main job is running in ${dataFolder}: stop it first`, { cause: error });
  }
  return () => database.close();
}
