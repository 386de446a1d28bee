import { execFile } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
// Also from dist, which lies beside src.
const source = fileURLToPath(new URL("../src/clock-shim.c", import.meta.url));

/**
 * Another time of day for a program, that can jump while the program runs. What counts time by the monotonic clock goes on as if
 * nothing had happened. Linux only. (libfaketime hangs redis-server, whose allocator asks for the time.)
 */
export class ClockShim {
  /** Start the programs that are to live in the other time with this: `RedisServer.start({ env: shim.env })`. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #offsetFile: number;

  private constructor(folder: string, library: string) {
    const offsetPath = join(folder, "offset");
    this.#folder = folder;
    this.#offsetFile = openSync(offsetPath, "w");
    this.env = { LD_PRELOAD: library, Q_CLOCK_OFFSET_FILE: offsetPath };
    this.offset(0);
  }

  /** @throws Error when there is no gcc, or no headers of the C library */
  static async create(): Promise<ClockShim> {
    const folder = await mkdtemp(join(tmpdir(), "q-clock-"));
    const library = join(folder, "clock-shim.so");
    try {
      await run("gcc", ["-shared", "-fPIC", "-O2", "-o", library, source]);
    } catch (cause) {
      await rm(folder, { recursive: true, force: true });
      throw new Error(
        "expected gcc to build the clock shim: install it, on Debian with `apt-get install gcc libc6-dev`",
        {
          cause,
        },
      );
    }
    return new ClockShim(folder, library);
  }

  /** How far the other time is ahead from now on, in milliseconds. Negative is behind. */
  offset(ms: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(ms));
    writeSync(this.#offsetFile, bytes, 0, bytes.length, 0);
  }

  /** Call it once no program uses it any more. */
  async remove(): Promise<void> {
    closeSync(this.#offsetFile);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
