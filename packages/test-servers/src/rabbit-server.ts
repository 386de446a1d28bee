import { mkdtempSync, readFileSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Epmd } from "./epmd.ts";
import { freePort } from "./free-port.ts";
import { RabbitAdmin } from "./rabbit-admin.ts";
import {
  littleDisk,
  nodeEnvironment,
  plentyOfMemory,
  rabbitProgram,
  writeNodeFiles,
  type RabbitNode,
} from "./rabbit-node.ts";
import { lastLines, ServerProcess } from "./server-process.ts";
import { until } from "./until.ts";

export interface RabbitServerOptions {
  /** Milliseconds for which a consumer may keep a message. Default RabbitMQ's own, half an hour. */
  readonly consumerTimeoutMs?: number;
  /**
   * Milliseconds until what a quorum queue dead-lettered, and has had no confirm of, is dead-lettered again. Default RabbitMQ's own, three minutes: as much
   * later than planned is a delayed message that was between two queues when its node ended.
   */
  readonly deadLetterConfirmMs?: number;
  /** Default: no TLS. With it there is one port more, and `tlsUrl`. */
  readonly tls?: RabbitTls;
  /** More lines of rabbitmq.conf, `["heartbeat = 5"]`. */
  readonly config?: readonly string[];
  /** A node of a cluster, whose port mapper and whose folder are the cluster's. */
  readonly member?: { readonly name: string; readonly epmd: Epmd };
}

export interface RabbitTls {
  /** Files in PEM. */
  readonly cert: string;
  readonly key: string;
  /** The file of the authority that vouches for clients. */
  readonly ca: string;
  /** Whether a client must have a certificate. Default false. */
  readonly clientCertificates?: boolean;
}

const host = "127.0.0.1";
/** Five seconds of a processor that has nothing else to do. */
const startsWithinMs = 120_000;
const endsWithinMs = 30_000;
const attempts = 3;
const isUp = "Server startup complete";

/**
 * A RabbitMQ node of one's own, on the loopback interface, that may be killed at any time. `guest` with the password `guest` may do
 * everything. It takes five to twenty seconds to start: share one where no test breaks it, with a vhost for each test file.
 */
export class RabbitServer {
  /** Plain data, by which another process of the test finds the node: `new RabbitAdmin(node)`. */
  readonly node: RabbitNode;
  readonly admin: RabbitAdmin;
  /** What every run of it has printed. */
  readonly logFile: string;
  readonly #options: RabbitServerOptions;
  readonly #ownEpmd: Epmd | undefined;
  #process: ServerProcess | undefined;

  private constructor(options: RabbitServerOptions, node: RabbitNode, ownEpmd: Epmd | undefined) {
    this.#options = options;
    this.#ownEpmd = ownEpmd;
    this.node = node;
    this.admin = new RabbitAdmin(node);
    this.logFile = join(node.dir, "rabbit.log");
  }

  /**
   * Resolves when it takes connections.
   * @throws Error with the last lines of its log when it ends, or is not up within two minutes
   */
  static async start(options: RabbitServerOptions = {}): Promise<RabbitServer> {
    for (let attempt = 1; ; attempt += 1) {
      const server = await RabbitServer.#create(options);
      try {
        await server.restart();
        return server;
      } catch (error) {
        await server.stop();
        // Between the look for a free port and the start, somebody else has taken it.
        const portTaken = error instanceof Error && /eaddrinuse|in use by/.test(error.message);
        if (!portTaken || attempt === attempts) throw error;
      }
    }
  }

  static async #create(options: RabbitServerOptions): Promise<RabbitServer> {
    const ownEpmd = options.member === undefined ? await Epmd.start() : undefined;
    const node: RabbitNode = {
      dir: mkdtempSync(join(tmpdir(), "q-rabbit-")),
      name: options.member?.name ?? "rabbit@localhost",
      host,
      port: await freePort(),
      tlsPort: options.tls === undefined ? undefined : await freePort(),
      epmdPort: (options.member?.epmd ?? ownEpmd)?.port ?? 0,
      distributionPort: await freePort(),
    };
    return new RabbitServer(options, node, ownEpmd);
  }

  get host(): string {
    return host;
  }

  /** The same for life, through every restart. */
  get port(): number {
    return this.node.port;
  }

  /** As `guest`, in the vhost `/`. */
  get url(): string {
    return rabbitUrl(this.node);
  }

  /** @throws Error when the server has no TLS */
  get tlsUrl(): string {
    if (this.node.tlsPort === undefined) throw new Error("expected a server that was started with TLS");
    return `amqps://guest:guest@${host}:${this.node.tlsPort}`;
  }

  /** Of the current run, or of the last one. */
  get pid(): number {
    if (this.#process === undefined) throw new Error("expected a server that was started");
    return this.#process.pid;
  }

  /** Also true while it is frozen, and while RabbitMQ is stopped on its node. */
  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.ended === undefined;
  }

  /** Ends it, by default without a warning. Resolves when it is gone; its files remain for `restart`. */
  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    await this.#process?.end(signal);
  }

  /**
   * Kills it if need be and starts it again, on the same port and with the same data.
   * @throws Error as `start`
   */
  async restart(): Promise<void> {
    await this.kill();
    const { dir } = this.node;
    // Whether a consumer is late is only looked at with every tick.
    const { consumerTimeoutMs, deadLetterConfirmMs } = this.#options;
    const parameters = [
      ...(consumerTimeoutMs === undefined ? [] : ["{channel_tick_interval, 1000}"]),
      ...(deadLetterConfirmMs === undefined
        ? []
        : [`{dead_letter_worker_publisher_confirm_timeout, ${deadLetterConfirmMs}}`]),
    ];
    writeNodeFiles(this.node, { config: this.#config(), parameters });
    const before = await sizeOf(this.logFile);
    const running = await ServerProcess.start({
      program: rabbitProgram("rabbitmq-server"),
      args: [],
      env: nodeEnvironment(this.node),
      logFile: this.logFile,
      ownFolder: dir,
      endsWithinMs,
    });
    this.#process = running;
    try {
      await until("RabbitMQ is up", startsWithinMs, async () => {
        if (running.ended !== undefined) return true;
        return (await sizeOf(this.logFile)) > before && logSince(this.logFile, before).includes(isUp);
      });
      if (running.ended !== undefined) throw new Error(`RabbitMQ did not start: ${running.ended}`);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const log = lastLines(this.logFile, 80);
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

  /** Ends it and removes its folder. May be called twice, and on a server that was killed or frozen. */
  async stop(): Promise<void> {
    await this.kill();
    await this.#ownEpmd?.stop();
    await rm(this.node.dir, { recursive: true, force: true, maxRetries: 3 });
  }

  #config(): string[] {
    const { consumerTimeoutMs, tls, config = [] } = this.#options;
    return [
      `listeners.tcp.1 = ${host}:${this.node.port}`,
      `vm_memory_high_watermark.absolute = ${plentyOfMemory}`,
      `disk_free_limit.absolute = ${littleDisk}`,
      "log.console = true",
      "log.file = false",
      ...(consumerTimeoutMs === undefined ? [] : [`consumer_timeout = ${consumerTimeoutMs}`]),
      ...(tls === undefined ? [] : tlsConfig(tls, this.node.tlsPort)),
      ...config,
    ];
  }
}

/** Of a node, as `guest`. */
export function rabbitUrl({ port }: Pick<RabbitNode, "port">, vhost = "/"): string {
  return `amqp://guest:guest@${host}:${port}/${encodeURIComponent(vhost)}`;
}

function tlsConfig({ cert, key, ca, clientCertificates = false }: RabbitTls, port = 0): string[] {
  return [
    `listeners.ssl.1 = ${host}:${port}`,
    `ssl_options.certfile = ${cert}`,
    `ssl_options.keyfile = ${key}`,
    `ssl_options.cacertfile = ${ca}`,
    `ssl_options.verify = ${clientCertificates ? "verify_peer" : "verify_none"}`,
    `ssl_options.fail_if_no_peer_cert = ${clientCertificates}`,
  ];
}

async function sizeOf(file: string): Promise<number> {
  return await stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

function logSince(file: string, offset: number): string {
  return readFileSync(file).subarray(offset).toString("utf8");
}
