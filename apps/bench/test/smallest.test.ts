import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isInstalled } from "@q/test-servers";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** Each way to send, and a worker. */
const some = ["enqueue, bulk", "latency of an idle worker"];
const onEach = [
  "enqueue, one by one",
  "enqueue, 100 in flight",
  "drain, concurrency 1",
  "drain, concurrency 10",
  "drain, concurrency 100",
  "latency at 1,000 a second",
  "start of a worker",
  ...some,
];

test.for([
  { field: "redis", peers: "q", workloads: [...onEach, "lateness of delayed tasks", "pending tasks"] },
  { field: "redis", peers: "bullmq,bee-queue", workloads: [...some, "lateness of delayed tasks"] },
  { field: "redis", peers: "raw-redis", workloads: some },
  { field: "amqp-quorum", peers: "q,rabbitmq-client,raw-amqplib", workloads: some },
  { field: "amqp-classic", peers: "q", workloads: onEach },
  { field: "amqp-classic", peers: "rabbitmq-client,raw-amqplib", workloads: some },
])(
  "the bench runs, with a few tasks, on $field: $peers",
  { timeout: 300_000 },
  async ({ field, peers, workloads }, { skip }) => {
    const isThere = field === "redis" || isInstalled("rabbitmq-server");
    skip(!isThere, "no RabbitMQ here: apt-get install rabbitmq-server");
    const args = ["--field", field, "--repeats", "1", "--tasks", "20", "--peers", peers];
    if (!workloads.includes("start of a worker")) args.push("--workloads", "bulk,idle,delayed");
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args]);
    const steps = peers
      .split(",")
      .flatMap((peer) => workloads.map((workload) => `${field}, 1 of 1: ${workload}, ${peer}`));
    expect(stderr.trim().split("\n").toSorted()).toEqual(steps.toSorted());
    for (const workload of workloads) expect(stdout).toContain(`| ${workload} |`);
  },
);
