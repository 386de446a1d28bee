import { access } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError } from "./q-error.ts";

/** Loads one module by its absolute path. The `q` command hands in one that understands TypeScript. */
export type Importer = (file: string) => Promise<unknown>;

const nativeImporter: Importer = (file) => import(pathToFileURL(file).href);

/**
 * Loads the task modules, in order of path within each pattern; answers their absolute paths.
 * @throws ConfigError `Q2009` for a pattern that matches nothing, `Q2002` for a module that does not load, with the error as its cause
 */
export async function loadImports(
  patterns: readonly string[],
  root: string,
  importer: Importer = nativeImporter,
): Promise<readonly string[]> {
  const files = new Set<string>();
  const missing: string[] = [];
  for (const pattern of patterns) {
    const found = await filesOf(pattern, root);
    if (found.length === 0) missing.push(`"${pattern}"`);
    for (const file of found) files.add(file);
  }
  // First what is there: `q check` then tells of every mistake in one go.
  for (const file of files) await load(file, root, importer);
  if (missing.length === 0) return [...files];
  throw new ConfigError("Q2009", `imports: nothing matches ${missing.join(", ")}`, {
    hint: "patterns start from the folder of the file that calls createApp; in a compiled app they must name the compiled files",
    details: { "looked in": root },
  });
}

async function filesOf(pattern: string, root: string): Promise<readonly string[]> {
  // It takes more memory and time to load than all the rest of this package, and many apps name no modules.
  const { glob, isDynamicPattern } = await import("tinyglobby");
  if (isDynamicPattern(pattern)) {
    const found = await glob(pattern, {
      cwd: root,
      absolute: true,
      ignore: ["**/node_modules/**", "**/*.d.ts", "**/*.test.*"],
    });
    return found.toSorted();
  }
  const file = isAbsolute(pattern) ? pattern : resolve(root, pattern);
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  return exists ? [file] : [];
}

function isConfigError(error: unknown): boolean {
  return error instanceof Error && /^Q2\d{3}$/.test(String((error as { code?: unknown }).code));
}

async function load(file: string, root: string, importer: Importer): Promise<void> {
  try {
    await importer(file);
  } catch (cause) {
    // By code: the module may have another copy of the class.
    if (isConfigError(cause)) throw cause;
    const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
    throw new ConfigError(
      "Q2002",
      `${relative(root, file)} failed to load: ${name}: ${message.split("\n", 1)[0] ?? ""}`,
      {
        cause,
        hint: "run again with -v for the stack",
        details: { file },
      },
    );
  }
}
