import { readFile } from "node:fs/promises";
import { connect, type Channel, type ChannelModel } from "amqplib";
import { RabbitServer } from "@q/test-servers";
import type { BenchServer, ServerCounters } from "../bench-server.ts";
import type { Place } from "../peer.ts";

/** A line for each connection and each election is not what is measured. */
const quietLog = ["connection", "queue", "ra"].map((category) => `log.${category}.level = error`);
/** Linux counts CPU in hundredths of a second, on every architecture that Node runs on. Microseconds. */
const tickUs = 10_000;

/** RabbitMQ as it is by default, on one node. */
export class RabbitBenchServer implements BenchServer {
  readonly #server: RabbitServer;
  readonly #connection: ChannelModel;
  readonly #channel: Channel;

  private constructor(server: RabbitServer, connection: ChannelModel, channel: Channel) {
    this.#server = server;
    this.#connection = connection;
    this.#channel = channel;
  }

  static async start(): Promise<RabbitBenchServer> {
    const server = await RabbitServer.start({ config: quietLog });
    try {
      const connection = await connect(server.url);
      return new RabbitBenchServer(server, connection, await connection.createChannel());
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get place(): Place {
    return { host: this.#server.host, port: this.#server.port, queue: "bench" };
  }

  describe(): Promise<string> {
    return Promise.resolve(`RabbitMQ ${this.#connection.connection.serverProperties.version}`);
  }

  async counters(): Promise<ServerCounters> {
    try {
      return { cpuUs: readCpuUs(await readFile(`/proc/${this.#server.pid}/stat`, "utf8")) };
    } catch (error) {
      // Only Linux has this file.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
      throw error;
    }
  }

  /** All peers send through one queue; what else some of them declare stays, empty. */
  async clear(): Promise<void> {
    await this.#channel.deleteQueue(this.place.queue);
  }

  async stop(): Promise<void> {
    await this.#connection.close().catch(() => undefined);
    await this.#server.stop();
  }
}

/**
 * User and system time of a process, without its children's. Microseconds.
 * @param stat its /proc/<pid>/stat
 */
export function readCpuUs(stat: string): number {
  // The second field is the name in brackets, which may hold anything; the first field after it is the third.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[14 - 3]) + Number(fields[15 - 3]);
  if (Number.isNaN(ticks)) throw new Error("the system does not tell the CPU of the server");
  return ticks * tickUs;
}
