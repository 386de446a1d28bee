import { availableParallelism } from "node:os";
import { payload } from "../payload.ts";
import type { PythonPeer } from "../peer.ts";

/** What its guide to optimizing and its reference advise for short tasks of which nobody wants the result. */
const conf = {
  task_ignore_result: true,
  worker_disable_rate_limits: true,
  worker_prefetch_multiplier: 128,
};
/** Options of its command line. Nothing is logged of a task. */
const worker = {
  loglevel: "ERROR",
  quiet: true,
  without_gossip: true,
  without_mingle: true,
  without_heartbeat: true,
};
/** As many as there are processors, which is its default. Threads are as many as the concurrency. */
const mostProcesses = availableParallelism();

type Pool = "prefork" | "threads";

export function celeryOnRedis(pool: Pool): PythonPeer {
  return celery(pool, {
    scheme: "redis",
    client: "redis",
    share: 0.03,
    conf,
    ofProducer: ["enqueue, ", "pending tasks"],
  });
}

/** The release that Debian has cannot consume from quorum queues. */
export function celeryOnRabbit(pool: Pool): PythonPeer {
  // As the other peers there, it waits until the server has a task.
  const confirmed = { ...conf, broker_transport_options: { confirm_publish: true } };
  return celery(pool, { scheme: "amqp", client: "amqp", share: 0.1, conf: confirmed, ofProducer: ["enqueue, "] });
}

interface Site {
  readonly scheme: string;
  /** The distribution with the client of its server. */
  readonly client: string;
  readonly share: number;
  readonly conf: object;
  /** What its workloads of a producer alone contain in their names. */
  readonly ofProducer: readonly string[];
}

function celery(pool: Pool, { scheme, client, share, conf: siteConf, ofProducer }: Site): PythonPeer {
  const mostSlots = pool === "prefork" ? mostProcesses : null;
  return {
    name: `Celery, ${pool}`,
    settings: { conf: siteConf, worker: { pool, ...worker }, ...(mostSlots === null ? {} : { mostProcesses }) },
    share,
    hasDelays: true,
    // Each of its processes takes a second to start.
    isForFullRuns: true,
    // A send blocks its thread. Both pools have the same producer, which is measured once.
    leavesOut: pool === "prefork" ? ["enqueue, 100 in flight"] : ofProducer,
    python: {
      packages: ["celery", "kombu", "billiard", client],
      apt: "python3-celery python3-redis",
      scripts: { sender: "sender.py", runner: "runner.py" },
      options: { scheme, pool, mostSlots, conf: siteConf, worker, payload: payload(0) },
    },
  };
}
