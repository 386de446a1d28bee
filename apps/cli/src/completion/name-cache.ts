import { createHash } from "node:crypto";
import { lstat, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";

/** Names for completion, kept for a minute: a TAB must not wait for a config to load or a broker to answer. */
export class NameCache {
  readonly #path: string;

  /** @param key what the names belong to: the config file and their kind */
  constructor(key: string) {
    const digest = createHash("sha256").update(key).digest("hex").slice(0, 16);
    this.#path = join(tmpdir(), `q-completion-${userInfo().uid}`, digest);
  }

  /** `undefined` when there is nothing yet, or nothing that only this user can have written. */
  async read(): Promise<{ readonly names: readonly string[]; readonly ageMs: number } | undefined> {
    try {
      await assertOwn(dirname(this.#path));
      const [{ mtimeMs }, content] = await Promise.all([stat(this.#path), readFile(this.#path, "utf8")]);
      return { names: content.split("\n").filter((name) => name !== ""), ageMs: Date.now() - mtimeMs };
    } catch {
      // Not asked before, or not readable: both mean that there is nothing to show.
      return undefined;
    }
  }

  /** @throws Error when another user may write there, too */
  async write(names: readonly string[]): Promise<void> {
    // Readable by its owner only: names may say more than they should on a shared machine.
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    await assertOwn(dirname(this.#path));
    const fresh = `${this.#path}.${process.pid}`;
    await writeFile(fresh, names.join("\n"), { mode: 0o600 });
    await rename(fresh, this.#path);
  }
}

/** Everybody may make a folder in that of temporary files, and lay out links in it that lead to files of ours. */
async function assertOwn(folder: string): Promise<void> {
  const found = await lstat(folder);
  // On Windows each user has a folder of temporary files.
  if (process.platform === "win32") return;
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0)
    throw new Error(`expected ${folder} to be this user's alone`);
}
