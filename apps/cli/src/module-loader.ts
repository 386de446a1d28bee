import { existsSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError } from "@q/core";

/** Loads one module of the user's by its absolute path. */
export type Importer = (file: string) => Promise<unknown>;

/**
 * How to load the modules of a project: TypeScript through jiti, JavaScript natively, and never both. A module that is loaded in both ways exists
 * twice, and so would the app: tasks would register with the one and the worker look at the other.
 */
export async function importerFor(configPath: string): Promise<Importer> {
  if (!isTypeScript(configPath)) return importNatively;
  const { createJiti } = await import("jiti");
  const jiti = createJiti(configPath, { fsCache: cacheFolder(configPath) });
  return (file) => jiti.import(file);
}

/**
 * Where jiti keeps what it has compiled, and takes it from: in the `node_modules` that serve the config, whose owner says what it runs anyway. Without any it
 * keeps nothing. By itself it would use a folder of temporary files then, where another user may have laid out code for it.
 */
function cacheFolder(configPath: string): string | false {
  for (let folder = dirname(configPath); ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    if (existsSync(modules)) return join(modules, ".cache/jiti");
    if (dirname(folder) === folder) return false;
  }
}

async function importNatively(file: string): Promise<unknown> {
  // Newer versions of Node strip types by themselves; `features.typescript` is younger than the types of Node 20.
  const { typescript } = process.features as { readonly typescript?: unknown };
  if (isTypeScript(file) && (typescript === undefined || typescript === false)) {
    throw new ConfigError("Q2002", `${file} is TypeScript, but the config is JavaScript`, {
      hint: "rename q.config.js to q.config.ts, so that both are loaded the same way",
    });
  }
  return import(pathToFileURL(file).href);
}

function isTypeScript(file: string): boolean {
  return /^\.[mc]?tsx?$/.test(extname(file));
}
