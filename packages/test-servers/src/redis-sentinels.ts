import { RedisServer } from "./redis-server.ts";
import { startTogether } from "./start-together.ts";
import { until } from "./until.ts";

export interface RedisSentinelsOptions {
  /** Default 1. */
  readonly replicas?: number;
  /** Default 3. */
  readonly sentinels?: number;
  /** What the sentinels call the master. Default `mymaster`. */
  readonly name?: string;
  /** Sentinels that must agree that the master is down. Default 2. */
  readonly quorum?: number;
  /** Milliseconds of silence after which a sentinel calls the master down. Default 1000. */
  readonly downAfterMs?: number;
  /** More options of redis-server, for the master and its replicas. */
  readonly args?: readonly string[];
}

const settlesWithinMs = 30_000;
const failsOverWithinMs = 60_000;
const failoverTimeoutMs = 5000;

/** A master and its replicas under the watch of sentinels. */
export class RedisSentinels {
  readonly name: string;
  /** The servers with the data, at first the master in front. */
  readonly nodes: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];

  private constructor(name: string, nodes: readonly RedisServer[], sentinels: readonly RedisServer[]) {
    this.name = name;
    this.nodes = nodes;
    this.sentinels = sentinels;
  }

  /**
   * Resolves when the replicas are in step and every sentinel knows all of them and all other sentinels.
   * @throws Error when that takes more than 30 seconds
   */
  static async start({
    replicas = 1,
    sentinels = 3,
    name = "mymaster",
    quorum = 2,
    downAfterMs = 1000,
    args = [],
  }: RedisSentinelsOptions = {}): Promise<RedisSentinels> {
    const master = await RedisServer.start({ args });
    const started = [master];
    try {
      const replicaArgs = [...args, "--replicaof", `${master.host} ${master.port}`];
      started.push(...(await startTogether(times(replicas, () => RedisServer.start({ args: replicaArgs })))));
      const nodes = [...started];
      // The sentinels learn of replicas from the master, right away and then only every ten seconds.
      await until("the master has its replicas", settlesWithinMs, async () => {
        const online = String(await master.command("INFO", "replication")).match(/state=online/g);
        return (online?.length ?? 0) === replicas;
      });
      const sentinel = [
        `sentinel monitor ${name} ${master.host} ${master.port} ${quorum}`,
        `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
        `sentinel failover-timeout ${name} ${failoverTimeoutMs}`,
      ];
      const watching = await startTogether(times(sentinels, () => RedisServer.start({ sentinel })));
      started.push(...watching);
      const group = new RedisSentinels(name, nodes, watching);
      await until("the sentinels know each other", settlesWithinMs, () => group.#isComplete());
      return group;
    } catch (error) {
      await Promise.all(started.map((server) => server.stop()));
      throw error;
    }
  }

  /** The server that the sentinels call the master now. */
  async master(): Promise<RedisServer> {
    const witness = this.sentinels.find((sentinel) => sentinel.isRunning);
    if (witness === undefined) throw new Error("expected a sentinel that runs, but all were killed");
    return this.#masterOf(witness);
  }

  /**
   * Has the sentinels promote a replica while the master lives. The old master hears of it only about ten seconds later, and
   * takes writes until then, which are lost.
   * @returns the new master, when it takes writes and every sentinel names it
   * @throws Error when there is none within 60 seconds
   */
  async failover(): Promise<RedisServer> {
    const old = await this.master();
    await until("a sentinel begins the failover", failsOverWithinMs, async () => {
      const [sentinel] = this.sentinels.filter(({ isRunning }) => isRunning);
      // Refused while an earlier failover has not quite ended, and then asked for again.
      return (await sentinel?.command("SENTINEL", "FAILOVER", this.name)) === "OK";
    });
    return this.#successorOf(old);
  }

  /**
   * Kills the master with SIGKILL and waits for the sentinels to notice. The old one may be restarted: about ten seconds later
   * the sentinels make it a replica.
   * @returns the new master, when it takes writes and every sentinel names it
   * @throws Error when there is none within 60 seconds
   */
  async killMaster(): Promise<RedisServer> {
    const old = await this.master();
    await old.kill();
    return this.#successorOf(old);
  }

  async stop(): Promise<void> {
    // In this order, or the sentinels would yet begin a failover.
    await Promise.all(this.sentinels.map((sentinel) => sentinel.stop()));
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async #successorOf(old: RedisServer): Promise<RedisServer> {
    let successor = old;
    await until("the sentinels agree on a new master", failsOverWithinMs, async () => {
      const running = this.sentinels.filter(({ isRunning }) => isRunning);
      const [first, ...others] = await Promise.all(running.map((sentinel) => this.#masterOf(sentinel)));
      if (first === undefined || first === old || others.some((other) => other !== first)) return false;
      successor = first;
      // The reply of ROLE is a list that begins with the role.
      const [role] = (await first.command("ROLE")) as [string];
      return role === "master";
    });
    return successor;
  }

  async #masterOf(sentinel: RedisServer): Promise<RedisServer> {
    // Host and port, both as text.
    const [, port] = (await sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", this.name)) as [string, string];
    const node = this.nodes.find((candidate) => candidate.port === Number(port));
    if (node === undefined) throw new Error("expected the sentinels to name a server of this group");
    return node;
  }

  async #isComplete(): Promise<boolean> {
    const others = `slaves=${this.nodes.length - 1},sentinels=${this.sentinels.length}`;
    const answers = await Promise.all(this.sentinels.map((sentinel) => sentinel.command("INFO", "sentinel")));
    return answers.every(
      (answer) => String(answer).includes(`name=${this.name},status=ok`) && String(answer).includes(others),
    );
  }
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
