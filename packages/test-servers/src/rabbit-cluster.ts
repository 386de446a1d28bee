import { Epmd } from "./epmd.ts";
import { RabbitServer, type RabbitServerOptions } from "./rabbit-server.ts";
import { startTogether } from "./start-together.ts";
import { until } from "./until.ts";

/** All but `nodes` is for each of them. */
export interface RabbitClusterOptions extends Pick<RabbitServerOptions, "config" | "deadLetterConfirmMs"> {
  /** Default 3. */
  readonly nodes?: number;
}

const formsWithinMs = 120_000;

/** Nodes of RabbitMQ that form a cluster. One that sees only a minority of them stops serving until it sees more. */
export class RabbitCluster {
  readonly nodes: readonly RabbitServer[];
  readonly #epmd: Epmd;

  private constructor(nodes: readonly RabbitServer[], epmd: Epmd) {
    this.nodes = nodes;
    this.#epmd = epmd;
  }

  /**
   * Resolves when every node knows every other one, half a minute later or more.
   * @throws Error when one does not start, or they do not find together within two minutes
   */
  static async start({ nodes: count = 3, config = [], ...options }: RabbitClusterOptions = {}): Promise<RabbitCluster> {
    const names = Array.from({ length: count }, (_, index) => `rabbit${index + 1}@localhost`);
    const clusterConfig = [
      "cluster_formation.peer_discovery_backend = classic_config",
      ...names.map((name, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${name}`),
      `cluster_formation.target_cluster_size_hint = ${count}`,
      "cluster_partition_handling = pause_minority",
      ...config,
    ];
    const epmd = await Epmd.start();
    try {
      const nodes = await startTogether(
        names.map((name) => RabbitServer.start({ ...options, config: clusterConfig, member: { name, epmd } })),
      );
      const cluster = new RabbitCluster(nodes, epmd);
      await cluster.isWhole();
      return cluster;
    } catch (error) {
      await epmd.stop();
      throw error;
    }
  }

  /** Resolves when every node sees every other one running. */
  async isWhole(): Promise<void> {
    await until("every node of the cluster sees every other one", formsWithinMs, async () => {
      const seen = await Promise.all(this.nodes.map((node) => runningNodes(node)));
      return seen.every((names) => names.length === this.nodes.length);
    });
  }

  /**
   * The node that leads a quorum queue now.
   * @throws Error when nobody does
   */
  async leaderOf(queue: string, vhost = "/"): Promise<RabbitServer> {
    const leader = await this.#anyRunning().admin.evaluate(
      `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"${vhost}">>, queue, <<"${queue}">>)), ` +
        `{ok, _, {_, Node}} = ra:members(amqqueue:get_pid(Q)), Node`,
    );
    const node = this.nodes.find(({ node: { name } }) => leader.includes(name));
    if (node === undefined) throw new Error(`expected queue ${queue} to have a leader, got ${leader}`);
    return node;
  }

  /**
   * Cuts a node off from the others, in both directions; clients and rabbitmqctl still reach it. By the cookies that it shows and
   * wants: only this node has the wrong ones, since two that are wrong alike let each other in.
   */
  async isolate(node: RabbitServer): Promise<void> {
    const leaves = this.#othersThan(node).map(
      (name) => `erlang:set_cookie('${name}', isolated), erlang:disconnect_node('${name}')`,
    );
    await node.admin.evaluate(leaves.join(", "));
  }

  /** Ends every isolation. Resolves when the cluster is whole again. */
  async heal(): Promise<void> {
    const joins = (node: RabbitServer): readonly string[] =>
      this.#othersThan(node).map(
        (name) => `erlang:set_cookie('${name}', erlang:get_cookie()), net_adm:ping('${name}')`,
      );
    await Promise.all(this.nodes.map((node) => node.admin.evaluate(joins(node).join(", "))));
    await this.isWhole();
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.#epmd.stop();
  }

  #othersThan(node: RabbitServer): readonly string[] {
    return this.nodes.filter((other) => other !== node).map(({ node: { name } }) => name);
  }

  #anyRunning(): RabbitServer {
    const node = this.nodes.find(({ isRunning }) => isRunning);
    if (node === undefined) throw new Error("expected a node that runs");
    return node;
  }
}

async function runningNodes({ admin }: RabbitServer): Promise<readonly string[]> {
  return (await admin.evaluate("rabbit_nodes:all_running()")).match(/rabbit\d+@localhost/g) ?? [];
}
