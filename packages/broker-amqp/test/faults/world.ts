import { World as FaultWorld, type Row as FaultRow, type WorldOptions } from "@q/fault-kit";
import { RabbitCluster, RabbitServer, rabbitUrl, type RabbitAdmin } from "@q/test-servers";

export type Row = FaultRow<World>;

/** Milliseconds. Longer than any row; the server looks every second. */
const consumerTimeoutMs = 600_000;
/** Milliseconds. RabbitMQ's own three minutes are how late a delayed message may come after a restart of its node. */
const deadLetterConfirmMs = 3000;

const adapter = {
  module: new URL("../../dist/index.js", import.meta.url).href,
  factory: "amqp",
  expectedWarnings: /^$/,
};

/** One node for all rows, which come one after the other: it starts slowly. */
let starting: Promise<RabbitServer> | undefined;
let vhosts = 0;

/** Where a row has its queues. */
export interface Place {
  /** Of a node that runs when the row is over. */
  readonly admin: RabbitAdmin;
  readonly vhost: string;
  readonly url: string;
}

/** A vhost on a node that the row may kill. */
export interface Site extends Place {
  readonly server: RabbitServer;
}

/** Three nodes that hold every quorum queue. */
export interface ClusterPlace extends Place {
  readonly cluster: RabbitCluster;
}

/** A world with a RabbitMQ node. */
export class World extends FaultWorld {
  constructor(options: WorldOptions) {
    super(adapter, options);
  }

  /** A vhost of its own. */
  async site(): Promise<Site> {
    starting ??= RabbitServer.start({ consumerTimeoutMs, deadLetterConfirmMs });
    const server = await starting;
    // A row that failed may have left it dead.
    if (!server.isRunning) await server.restart();
    vhosts += 1;
    const vhost = `row-${vhosts}`;
    await server.admin.addVhost(vhost);
    return { server, admin: server.admin, vhost, url: rabbitUrl(server.node, vhost) };
  }

  async cluster(): Promise<ClusterPlace> {
    const cluster = await RabbitCluster.start({ deadLetterConfirmMs });
    this.defer(() => cluster.stop());
    const [first] = cluster.nodes;
    if (first === undefined) throw new Error("expected a cluster with nodes");
    const hosts = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    return { cluster, admin: first.admin, vhost: "/", url: `amqp://guest:guest@${hosts.join()}/` };
  }
}

/** When all rows are over. */
export async function stopNode(): Promise<void> {
  const server = await starting;
  await server?.stop();
}
