import { BrokerError, hasCode, PublishRejected, type QueueOptions } from "@q/core/broker";
import type { Connection } from "./connection.ts";
import { kombuBinding, queueKeys, registryKey, type QueueKeys } from "./keys.ts";
import type { Settings } from "./options.ts";

/** What this process knows of queues: their keys, and which have priorities. */
export class Queues {
  readonly #prefix: string;
  readonly #inCluster: boolean;
  readonly #keys = new Map<string, QueueKeys>();
  readonly #withPriorities = new Set<string>();

  constructor({ prefix, target }: Pick<Settings, "prefix" | "target">) {
    this.#prefix = prefix;
    this.#inCluster = target.kind === "cluster";
  }

  get registry(): string {
    return registryKey(this.#prefix);
  }

  /** @throws PublishRejected `Q1101` for a name that would put the queue's keys into different slots of a cluster */
  keysOf(queue: string): QueueKeys {
    let keys = this.#keys.get(queue);
    if (keys === undefined) {
      if (!isName(queue))
        throw new PublishRejected("Q1101", `expected a queue name without { and }, got ${JSON.stringify(queue)}`);
      keys = queueKeys(queue, this.#prefix, { inCluster: this.#inCluster });
      this.#keys.set(queue, keys);
    }
    return keys;
  }

  hasPriorities(queue: string): boolean {
    return this.#withPriorities.has(queue);
  }

  /** Every queue that was declared, by whichever app. A name that is none of ours stands there when another program wrote it. @throws BrokerError */
  async registered(connection: Connection): Promise<readonly string[]> {
    const names = (await connection.call("smembers", this.registry)) as string[]; // what SMEMBERS answers
    return names.filter(isName);
  }

  /** How many of a queue's lists are in use, from the most urgent one. */
  listsOf(queue: string): number {
    return this.hasPriorities(queue) ? this.keysOf(queue).lists.length : 1;
  }

  /**
   * Enters the queues where we and kombu's producers look for them.
   * @throws BrokerError `Q1004`
   */
  async declare(connection: Connection, queues: readonly QueueOptions[]): Promise<void> {
    for (const { name, priorities } of queues) {
      const { meta } = this.keysOf(name);
      const shape = priorities ? "1" : "0";
      const known = await connection.call("hget", meta, "priorities");
      if (known === null) await connection.call("hsetnx", meta, "priorities", shape);
      const found = known ?? (await connection.call("hget", meta, "priorities"));
      if (found !== shape) {
        throw new BrokerError(
          "Q1004",
          `queue "${name}" exists ${priorities ? "without" : "with"} priorities, and is declared ${priorities ? "with" : "without"}`,
          { hint: "declare it as it is, or take another name: messages would end up where nobody looks" },
        );
      }
      await this.#enlist(connection, name).catch((error: unknown) => {
        // With memory full, workers of a queue that is known must be able to start: only they make room.
        if (known === null || !hasCode(error, "Q1016")) throw error;
      });
      if (priorities) this.#withPriorities.add(name);
    }
  }

  /** What `declare` has entered, for a Redis that came back without it. @throws BrokerError */
  async enterAgain(connection: Connection, queue: string): Promise<void> {
    await connection.call("hsetnx", this.keysOf(queue).meta, "priorities", this.hasPriorities(queue) ? "1" : "0");
    await this.#enlist(connection, queue);
  }

  /** @throws BrokerError */
  async #enlist(connection: Connection, queue: string): Promise<void> {
    const { key, member } = kombuBinding(queue, this.#prefix);
    await connection.call("sadd", key, member);
    await connection.call("sadd", this.registry, queue);
  }
}

function isName(text: string): boolean {
  return text !== "" && !/[{}\0]/.test(text);
}
