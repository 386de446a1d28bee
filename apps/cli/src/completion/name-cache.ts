import { createHash } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
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

  /** `undefined` when there is nothing yet. */
  async read(): Promise<{ readonly names: readonly string[]; readonly ageMs: number } | undefined> {
    try {
      const [{ mtimeMs }, content] = await Promise.all([stat(this.#path), readFile(this.#path, "utf8")]);
      return { names: content.split("\n").filter((name) => name !== ""), ageMs: Date.now() - mtimeMs };
    } catch {
      // Not asked before, or not readable: both mean that there is nothing to show.
      return undefined;
    }
  }

  async write(names: readonly string[]): Promise<void> {
    // Readable by its owner only: names may say more than they should on a shared machine.
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const fresh = `${this.#path}.${process.pid}`;
    await writeFile(fresh, names.join("\n"), { mode: 0o600 });
    await rename(fresh, this.#path);
  }
}
