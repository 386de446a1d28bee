import { BrokerError, silentLogger, systemClock } from "@q/core/broker";
import { ClockShim, RedisServer } from "@q/test-servers";
import { Connection } from "../../src/connection.ts";
import { queueKeys, type QueueKeys } from "../../src/keys.ts";
import { testSettings } from "../redis-harness.ts";
import { takeCensus, type Census } from "./census.ts";
import { QueueModel } from "./queue-model.ts";

/**
 * The clock jumps by multiples of this, and every span of time in the test and in the scripts lies at least twenty seconds off such a multiple: how long
 * the steps of a run really take decides nothing. Milliseconds.
 */
export const tickMs = 110_000;

/** In jumps: longer than anything is delayed, buried or remembered. */
export const forever = 2400;

export const producers = ["p1", "p2"] as const;
export const onceKeys = ["k1", "k2"] as const;

/** A server with one queue on it, whose clock and memory are ours. */
export class World {
  readonly keys: QueueKeys = queueKeys("main", "");
  readonly connection: Connection;
  readonly #server: RedisServer;
  readonly #shim: ClockShim;
  #ticks = 0;

  private constructor(parts: {
    readonly server: RedisServer;
    readonly shim: ClockShim;
    readonly connection: Connection;
  }) {
    this.#server = parts.server;
    this.#shim = parts.shim;
    this.connection = parts.connection;
  }

  static async start(): Promise<World> {
    const shim = await ClockShim.create();
    const server = await RedisServer.start({ env: shim.env });
    const settings = testSettings(server.url, "");
    const connection = await Connection.open({ settings, clock: systemClock, logger: silentLogger });
    return new World({ server, shim, connection });
  }

  async stop(): Promise<void> {
    this.connection.close();
    await this.#server.stop();
    await this.#shim.remove();
  }

  /** An empty queue, and what it must look like. */
  async begin(priorities: boolean): Promise<QueueModel> {
    await this.setFull(false);
    await this.connection.call("flushdb");
    this.jump(-this.#ticks);
    await this.connection.call("hset", this.keys.meta, "priorities", priorities ? 1 : 0);
    const model = new QueueModel(priorities ? this.keys.lists.length : 1);
    model.look((await this.census()).now);
    return model;
  }

  census(): Promise<Census> {
    return takeCensus(this.connection, this.keys);
  }

  jump(ticks: number): void {
    this.#ticks += ticks;
    this.#shim.offset(this.#ticks * tickMs);
  }

  async setFull(isFull: boolean): Promise<void> {
    await this.connection.call("config", "set", "maxmemory", isFull ? 1 : 0);
  }

  /** `full` where Redis refuses to take something in. */
  async unlessFull<T>(answer: Promise<T>): Promise<T | "full"> {
    return answer.catch((error: unknown) => {
      if (error instanceof BrokerError && error.code === "Q1016") return "full";
      throw error;
    });
  }
}
