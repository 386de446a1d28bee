import { accessSync, constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where Debian keeps what its wrappers call, which change the user and forget the environment. And the PATH of a user lacks sbin there. */
const extraFolders = ["/usr/lib/rabbitmq/bin"];
/** Where Debian keeps PostgreSQL, a folder for each major version. */
const postgresVersions = "/usr/lib/postgresql";

/** Whether a program can be started here, for tests that are skipped where it cannot: `isInstalled("redis-server")`. */
export function isInstalled(program: string): boolean {
  return programPath(program) !== undefined;
}

/** The file of a program. It is not run: `rabbitmq-server --version` would start a server. */
export function programPath(program: string): string | undefined {
  const folders = [...extraFolders, ...(process.env.PATH ?? "").split(delimiter), ...postgresFolders()];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

/** The newest version first. */
function postgresFolders(): readonly string[] {
  let versions: readonly string[];
  try {
    versions = readdirSync(postgresVersions);
  } catch {
    // Another system, or no PostgreSQL.
    return [];
  }
  return versions
    .toSorted((one, other) => Number(other) - Number(one))
    .map((name) => join(postgresVersions, name, "bin"));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
