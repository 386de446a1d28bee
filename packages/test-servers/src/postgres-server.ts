import { execFile } from "node:child_process";
import { chownSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { programPath } from "./installed.ts";
import { lastLines, ServerProcess, type Owner } from "./server-process.ts";
import { until } from "./until.ts";

const run = promisify(execFile);
const host = "127.0.0.1";
const user = "postgres";
const startsWithinMs = 30_000;
const attempts = 5;
/** Whoever reaches it may do everything. And what is thrown away soon need not be on the disk before it starts. */
const clusterArgs = ["--auth", "trust", "--username", user, "--encoding", "UTF8", "--no-locale", "--no-sync"];

/** A PostgreSQL server of one's own, on the loopback interface. It waits for the disk, and all else is by default too. */
export class PostgresServer {
  readonly host: string = host;
  readonly port: number;
  /** Of all its files. */
  readonly dir: string;
  readonly #owner: Owner | undefined;
  #process: ServerProcess | undefined;

  private constructor(port: number, owner: Owner | undefined) {
    this.port = port;
    this.#owner = owner;
    this.dir = mkdtempSync(join(tmpdir(), "q-postgres-"));
    if (owner !== undefined) chownSync(this.dir, owner.uid, owner.gid);
  }

  /**
   * Resolves when it takes connections. It refuses to run as root, so root has the user `postgres` run it.
   * @throws Error with the last lines of its log when it ends, or takes no connections within 30 seconds
   */
  static async start(): Promise<PostgresServer> {
    const owner = process.getuid?.() === 0 ? await ownerCalled(user) : undefined;
    for (let attempt = 1; ; attempt += 1) {
      const server = new PostgresServer(await freePort(), owner);
      try {
        await server.#start();
        return server;
      } catch (error) {
        await server.stop();
        // Between the look for a free port and the start, somebody else has taken it.
        const portTaken = error instanceof Error && error.message.includes("Address already in use");
        if (!portTaken || attempt === attempts) throw error;
      }
    }
  }

  /** Of the database that is there from the beginning. */
  get url(): string {
    return `postgres://${user}@${host}:${this.port}/postgres`;
  }

  /** Ends it, with its connections, and removes its folder. May be called twice. */
  async stop(): Promise<void> {
    // After SIGTERM it would wait until everybody has left.
    await this.#process?.end("SIGINT");
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }

  async #start(): Promise<void> {
    const data = join(this.dir, "data");
    const logFile = join(this.dir, "postgres.log");
    await run(programOf("initdb"), [...clusterArgs, "-D", data], { cwd: this.dir, ...this.#owner });
    const running = await ServerProcess.start({
      program: programOf("postgres"),
      args: ["-D", data, "-h", host, "-p", String(this.port), "-k", this.dir],
      logFile,
      ownFolder: this.dir,
      owner: this.#owner,
    });
    this.#process = running;
    try {
      await until("PostgreSQL takes connections", startsWithinMs, async () => {
        return running.ended !== undefined || (await this.#answers());
      });
      if (running.ended !== undefined) throw new Error(`PostgreSQL did not start: ${running.ended}`);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${reason}, and its log ends with\n${lastLines(logFile)}`, { cause });
    }
  }

  /** Through the socket in our folder, so that nobody else's server answers. */
  async #answers(): Promise<boolean> {
    await run(programOf("pg_isready"), ["-h", this.dir, "-p", String(this.port)]);
    return true;
  }
}

/** @throws Error when the system does not know the user */
async function ownerCalled(name: string): Promise<Owner> {
  const idOf = async (option: "-u" | "-g"): Promise<number> => Number((await run("id", [option, name])).stdout);
  return { uid: await idOf("-u"), gid: await idOf("-g") };
}

function programOf(name: string): string {
  return programPath(name) ?? name;
}
