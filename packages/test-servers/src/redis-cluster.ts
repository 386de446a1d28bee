import { RedisServer } from "./redis-server.ts";
import { startTogether } from "./start-together.ts";
import { until } from "./until.ts";

export interface RedisClusterOptions {
  /** Default 3. */
  readonly masters?: number;
  /** Of each master. Default 0. */
  readonly replicas?: number;
  /** More options of redis-server, for all nodes. */
  readonly args?: readonly string[];
}

const slots = 16_384;
const formsWithinMs = 30_000;
const migrateTimeoutMs = 5000;
/** Milliseconds after which the others call a silent master dead. */
const nodeTimeoutMs = 2000;

/** A Redis Cluster of one's own, its slots spread evenly over the masters. */
export class RedisCluster {
  /** Masters first, in the order of their slots, then replicas. */
  readonly nodes: readonly RedisServer[];

  private constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes;
  }

  /**
   * Resolves when every node knows every other one and calls the cluster sound.
   * @throws Error when that takes more than 30 seconds
   */
  static async start({ masters = 3, replicas = 0, args = [] }: RedisClusterOptions = {}): Promise<RedisCluster> {
    const count = masters * (1 + replicas);
    const clusterArgs = ["--cluster-enabled", "yes", "--cluster-node-timeout", String(nodeTimeoutMs), ...args];
    const nodes = await startTogether(Array.from({ length: count }, () => RedisServer.start({ args: clusterArgs })));
    const cluster = new RedisCluster(nodes);
    try {
      await cluster.#form(masters);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /**
   * Gives a slot with all its keys to another master. Resolves when every node that runs knows it.
   * @param toIndex of the master in `nodes`
   */
  async moveSlot(slot: number, toIndex: number): Promise<void> {
    const target = this.#node(toIndex);
    const source = await ownerOf(slot, target, this.nodes);
    if (source === target) return;
    const [sourceId, targetId] = await Promise.all([idOf(source), idOf(target)]);
    await target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", sourceId);
    await source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", targetId);
    for (;;) {
      // The reply of a command that is known to be a list of bulk strings.
      const keys = (await source.command("CLUSTER", "GETKEYSINSLOT", slot, 100)) as string[];
      if (keys.length === 0) break;
      await source.command("MIGRATE", target.host, target.port, "", 0, migrateTimeoutMs, "KEYS", ...keys);
    }
    // The new owner first: a slot that nobody owns in between would be an outage.
    await target.command("CLUSTER", "SETSLOT", slot, "NODE", targetId);
    await source.command("CLUSTER", "SETSLOT", slot, "NODE", targetId);
    await until(`all nodes know who owns slot ${slot}`, formsWithinMs, async () => {
      const running = this.nodes.filter((node) => node.isRunning);
      const owners = await Promise.all(running.map((node) => ownerOf(slot, node, this.nodes)));
      return owners.every((owner) => owner === target);
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  #node(index: number): RedisServer {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`expected a node from 0 to ${this.nodes.length - 1}, got ${index}`);
    return node;
  }

  async #form(masterCount: number): Promise<void> {
    const first = this.#node(0);
    const masters = this.nodes.slice(0, masterCount);
    const replicas = this.nodes.slice(masterCount);
    const firstSlot = (index: number): number => Math.floor((index * slots) / masterCount);
    for (const [index, node] of this.nodes.entries()) {
      // Epochs that differ from the start save the nodes from having to sort them out.
      await node.command("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
    }
    for (const [index, master] of masters.entries()) {
      await master.command("CLUSTER", "ADDSLOTSRANGE", firstSlot(index), firstSlot(index + 1) - 1);
    }
    for (const node of this.nodes.slice(1)) await node.command("CLUSTER", "MEET", first.host, first.port);
    await until("the nodes of the cluster know each other", formsWithinMs, () => this.#isSound(0));
    for (const [index, replica] of replicas.entries()) {
      await replica.command("CLUSTER", "REPLICATE", await idOf(this.#node(index % masterCount)));
    }
    await until("the replicas of the cluster are in step", formsWithinMs, () => this.#isSound(replicas.length));
  }

  async #isSound(replicas: number): Promise<boolean> {
    const answers = await Promise.all(this.nodes.map((node) => seesAll(node, { nodes: this.nodes.length, replicas })));
    return answers.every(Boolean);
  }
}

async function seesAll(node: RedisServer, expected: { nodes: number; replicas: number }): Promise<boolean> {
  const known = String(await node.command("CLUSTER", "NODES"))
    .trim()
    .split("\n");
  const cluster = String(await node.command("CLUSTER", "INFO"));
  const replication = String(await node.command("INFO", "replication"));
  return (
    known.length === expected.nodes &&
    known.filter((line) => line.includes("slave")).length === expected.replicas &&
    !known.some((line) => /\b(handshake|fail|noaddr|disconnected)\b/.test(line)) &&
    cluster.includes("cluster_state:ok") &&
    cluster.includes(`cluster_slots_ok:${slots}`) &&
    !replication.includes("master_link_status:down")
  );
}

async function idOf(node: RedisServer): Promise<string> {
  return String(await node.command("CLUSTER", "MYID"));
}

/** Who owns a slot in the eyes of `witness`. */
async function ownerOf(slot: number, witness: RedisServer, nodes: readonly RedisServer[]): Promise<RedisServer> {
  // What CLUSTER SLOTS answers: first slot, last slot, then its nodes, the master first.
  const ranges = (await witness.command("CLUSTER", "SLOTS")) as [number, number, [string, number, string]][];
  const range = ranges.find(([first, last]) => first <= slot && slot <= last);
  const owner = nodes.find((node) => node.port === range?.[2][1]);
  if (owner === undefined) throw new Error(`expected slot ${slot} to be served by a node of this cluster`);
  return owner;
}
