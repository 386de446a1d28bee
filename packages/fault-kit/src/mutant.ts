import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

/** A line that keeps messages safe, and how to break it. */
export interface Mutation {
  readonly name: string;
  /** Of the package's source. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Of which package mutants are made. */
export interface MutantPlace {
  /** The path of its folder. */
  readonly folder: string;
  /** Of its build, in `src`. */
  readonly entries: readonly string[];
}

const run = promisify(execFile);
const tsup = fileURLToPath(new URL("../../../node_modules/.bin/tsup", import.meta.url));

/** A build of the adapter, elsewhere, in which one line is broken. */
export class Mutant {
  /** What a process imports instead of the package. */
  readonly module: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.module = pathToFileURL(join(folder, "dist/index.js")).href;
  }

  /** @throws Error when the line is not there exactly once: the list of mutations must follow the source */
  static async build({ file, from, to }: Mutation, { folder: packageFolder, entries }: MutantPlace): Promise<Mutant> {
    const folder = await mkdtemp(join(tmpdir(), "q-mutant-"));
    await cp(join(packageFolder, "src"), join(folder, "src"), { recursive: true });
    await cp(join(packageFolder, "package.json"), join(folder, "package.json"));
    await symlink(join(packageFolder, "node_modules"), join(folder, "node_modules"));
    const path = join(folder, "src", file);
    const parts = (await readFile(path, "utf8")).split(from);
    if (parts.length !== 2) throw new Error(`expected ${file} to hold once: ${from}`);
    await writeFile(path, parts.join(to));
    const sources = entries.map((entry) => `src/${entry}`);
    await run(tsup, [...sources, "--no-config", "--format", "esm", "--target", "node20", "--silent"], { cwd: folder });
    return new Mutant(folder);
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
