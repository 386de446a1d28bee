import { RedisServer } from "@q/test-servers";
import type { BenchServer, ServerCounters } from "../bench-server.ts";
import type { Place } from "../peer.ts";

/** Redis without persistence. */
export class RedisBenchServer implements BenchServer {
  readonly #server: RedisServer;

  private constructor(server: RedisServer) {
    this.#server = server;
  }

  static async start(): Promise<RedisBenchServer> {
    return new RedisBenchServer(await RedisServer.start());
  }

  get place(): Place {
    return { host: this.#server.host, port: this.#server.port, queue: "bench" };
  }

  async describe(): Promise<string> {
    const info = String(await this.#server.command("INFO", "server"));
    return `Redis ${/^redis_version:(.*)\r$/m.exec(info)?.[1] ?? "of an unknown version"}`;
  }

  async counters(): Promise<ServerCounters> {
    return readCounters(String(await this.#server.command("INFO", "everything")));
  }

  async configure(settings: Readonly<Record<string, string>>): Promise<() => Promise<void>> {
    const set = async (pairs: readonly string[]): Promise<void> => {
      await this.#server.command("CONFIG", "SET", ...pairs);
    };
    const before = (await this.#server.command("CONFIG", "GET", ...Object.keys(settings))) as string[]; // names and values in turn
    await set(Object.entries(settings).flat());
    return () => set(before);
  }

  async clear(): Promise<void> {
    await this.#server.command("FLUSHALL", "SYNC");
    // Else the allocator gives gigabytes back little by little, on the CPU that is measured next.
    await this.#server.command("MEMORY", "PURGE");
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}

/** @param info the answer to INFO */
export function readCounters(info: string): Required<ServerCounters> {
  const field = (name: string): number => {
    const value = new RegExp(`^${name}:([0-9.]+)\r?$`, "m").exec(info)?.[1];
    if (value === undefined) throw new Error(`the server does not tell its ${name}`);
    return Number(value);
  };
  return {
    commands: field("total_commands_processed"),
    cpuUs: (field("used_cpu_user") + field("used_cpu_sys")) * 1e6,
    usedBytes: field("used_memory"),
  };
}
