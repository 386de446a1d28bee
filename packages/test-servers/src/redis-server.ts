import { randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminCommand, type AdminAccess } from "./admin-command.ts";
import { freePort } from "./free-port.ts";
import { lastLines, ServerProcess } from "./server-process.ts";
import { until } from "./until.ts";

export interface RedisServerOptions {
  /** More options of redis-server, `["--maxmemory", "2mb"]`. They win over the ones given here. */
  readonly args?: readonly string[];
  /** Whether it logs its writes and has them back after a restart. Default false: a restarted server is empty. */
  readonly appendonly?: boolean;
  /** A folder for its files, which is kept. Default: one of its own, that `stop` removes. */
  readonly dir?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: no TLS. With it the port speaks nothing else. */
  readonly tls?: RedisTls;
  /** Added to the environment, such as that of a `ClockShim`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Lines of an ACL file, `["user default off", "user alice on >secret ~q:* +@all"]`. `command` has a user of its own. */
  readonly acl?: readonly string[];
  /** Lines of a configuration of Sentinel. The server is a Sentinel then. */
  readonly sentinel?: readonly string[];
}

export interface RedisTls {
  /** Files in PEM. */
  readonly cert: string;
  readonly key: string;
  /** The file of the authority that vouches for clients. */
  readonly ca: string;
  /** Whether a client must have a certificate. Default false. */
  readonly clientCertificates?: boolean;
}

const host = "127.0.0.1";
const startsWithinMs = 20_000;
const attempts = 5;
/** No snapshots. And a master sends its data to a first replica at once, not after five seconds in which others might come. */
const dataArgs = ["--save", "", "--repl-diskless-sync-delay", "0"];
/** It prints its log to where we keep it, and stays our child. */
const alwaysArgs = ["--bind", host, "--logfile", "", "--daemonize", "no"];

/** A Redis server of one's own, on the loopback interface, that may be killed at any time. */
export class RedisServer {
  readonly host: string = host;
  /** The same for life, through every restart. */
  readonly port: number;
  /** The folder of its files. */
  readonly dir: string;
  /** Always open as well, and never encrypted. */
  readonly unixSocket: string;
  /** What every run of it has printed. */
  readonly logFile: string;
  readonly #options: RedisServerOptions;
  readonly #admin: AdminAccess;
  #process: ServerProcess | undefined;

  private constructor(options: RedisServerOptions, port: number) {
    this.#options = options;
    this.port = port;
    this.dir = options.dir ?? mkdtempSync(join(tmpdir(), "q-redis-"));
    this.unixSocket = join(this.dir, "redis.sock");
    this.logFile = join(this.dir, "redis.log");
    const admin = { username: "q-test-admin", password: randomBytes(16).toString("hex") };
    // The socket lies in our folder, so that nobody else's server answers there.
    this.#admin = { path: this.unixSocket, ...(options.acl === undefined ? {} : admin) };
    if (options.sentinel !== undefined) writeFileSync(this.#sentinelFile, `${options.sentinel.join("\n")}\n`);
    if (options.acl !== undefined) {
      const adminLine = `user ${admin.username} on >${admin.password} ~* &* +@all`;
      writeFileSync(this.#aclFile, [...options.acl, adminLine, ""].join("\n"));
    }
  }

  /**
   * Resolves when it takes commands.
   * @throws Error with the last lines of its log when it ends, or takes no commands within 20 seconds
   */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let attempt = 1; ; attempt += 1) {
      const server = new RedisServer(options, options.port ?? (await freePort()));
      try {
        await server.restart();
        return server;
      } catch (error) {
        await server.stop();
        // Between the look for a free port and the start, somebody else has taken it, or the bus port of a cluster.
        const portTaken = error instanceof Error && error.message.includes("Address already in use");
        if (options.port !== undefined || !portTaken || attempt === attempts) throw error;
      }
    }
  }

  get url(): string {
    return `${this.#options.tls === undefined ? "redis" : "rediss"}://${host}:${this.port}`;
  }

  /** Of the current run, or of the last one. */
  get pid(): number {
    if (this.#process === undefined) throw new Error("expected a server that was started");
    return this.#process.pid;
  }

  /** Also true while it is frozen. */
  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.ended === undefined;
  }

  /**
   * Sends a command as a user who may do everything, past port, TLS and ACL: `command("CLIENT", "KILL", "TYPE", "normal")`. Each has
   * a connection of its own.
   * @throws Error of the server, or that it is down, or that it has not answered within 10 seconds
   */
  async command(name: string, ...args: readonly (string | number | Buffer)[]): Promise<unknown> {
    return adminCommand(this.#admin, name, ...args);
  }

  /** Ends it, by default without a warning. Resolves when it is gone; its files remain for `restart`. */
  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    await this.#process?.end(signal);
  }

  /**
   * Kills it if need be and starts it again, on the same port and in the same folder.
   * @throws Error as `start`
   */
  async restart(): Promise<void> {
    await this.kill();
    const { dir: kept, env = {} } = this.#options;
    const running = await ServerProcess.start({
      program: "redis-server",
      args: this.#args(),
      env,
      logFile: this.logFile,
      ...(kept === undefined ? { ownFolder: this.dir } : {}),
    });
    this.#process = running;
    try {
      await until("redis-server takes commands", startsWithinMs, async () => {
        return running.ended !== undefined || (await this.#answers());
      });
      if (running.ended !== undefined) throw new Error(`redis-server did not start: ${running.ended}`);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const log = lastLines(this.logFile);
      await this.kill();
      throw new Error(`${reason}, and its log ends with\n${log}`, { cause });
    }
  }

  /** Stops it in its tracks: its connections stay open, and nobody answers. */
  freeze(): void {
    this.#process?.freeze();
  }

  /** Lets it go on after `freeze`. */
  thaw(): void {
    this.#process?.thaw();
  }

  /** Ends it gracefully and removes its folder. May be called twice, and on a server that was killed or frozen. */
  async stop(): Promise<void> {
    await this.kill("SIGTERM");
    if (this.#options.dir === undefined) await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }

  get #sentinelFile(): string {
    return join(this.dir, "sentinel.conf");
  }

  get #aclFile(): string {
    return join(this.dir, "users.acl");
  }

  async #answers(): Promise<boolean> {
    await this.command("PING");
    const server = String(await this.command("INFO", "server"));
    return server.includes(`process_id:${this.pid}\r\n`);
  }

  #args(): string[] {
    const { args = [], appendonly = false, tls, acl, sentinel } = this.#options;
    const files = ["--dir", this.dir, "--unixsocket", this.unixSocket];
    return [
      ...(sentinel === undefined ? [] : [this.#sentinelFile, "--sentinel"]),
      ...alwaysArgs,
      ...files,
      ...(tls === undefined ? ["--port", String(this.port)] : tlsArgs(tls, this.port)),
      ...(sentinel === undefined ? [...dataArgs, "--appendonly", appendonly ? "yes" : "no"] : []),
      ...(acl === undefined ? [] : ["--aclfile", this.#aclFile]),
      ...args,
    ];
  }
}

function tlsArgs({ cert, key, ca, clientCertificates = false }: RedisTls, port: number): string[] {
  const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca];
  return ["--port", "0", "--tls-port", String(port), ...files, "--tls-auth-clients", clientCertificates ? "yes" : "no"];
}
