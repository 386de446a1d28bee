import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isInstalled } from "@q/test-servers";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** What is asked for to get each way to send, and a worker. */
const parts: readonly string[] = ["bulk", "idle", "delayed"];
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

/** What libraries do on Redis that can delay a task. */
const late = ["lateness of delayed tasks", "lateness of delayed tasks, 10,000 a second"];

/** What q does on Redis too. */
const more = [
  ...late,
  "pending tasks",
  "pending tasks, list-compress-depth 1",
  ...["1", "10"].flatMap((kilobytes) =>
    ["enqueue", "drain"].map((what) => `payload: ${what}, ${kilobytes} kB of arguments`),
  ),
  "worker processes: drain by 2",
  "worker processes: drain by 4",
  "worker at rest",
  "killed worker",
  ...["1,000", "100,000", "1,000,000", "10,000,000"].flatMap((level) =>
    ["enqueue", "drain"].map((what) => `growth: ${what} with ${level} pending`),
  ),
];

test.for([
  {
    field: "redis",
    peers: "q",
    workloads: [...onEach, ...more],
  },
  {
    field: "redis",
    peers: "bullmq,bee-queue",
    only: [...parts, "by 2"],
    workloads: [...some, ...late, "worker processes: drain by 2"],
  },
  { field: "redis", peers: "celery-node,raw-redis", only: parts, workloads: some },
  {
    field: "amqp-quorum",
    peers: "q,rabbitmq-client",
    only: [...parts, "by 2", "killed"],
    workloads: [...some, "worker processes: drain by 2", "killed worker"],
  },
  { field: "amqp-quorum", peers: "raw-amqplib", only: parts, workloads: some },
  { field: "amqp-classic", peers: "q", workloads: onEach },
  { field: "amqp-classic", peers: "rabbitmq-client,raw-amqplib,celery-node", only: parts, workloads: some },
  { field: "sqlite", peers: "q", workloads: [...onEach, "lateness of delayed tasks"] },
  { field: "sqlite", peers: "plainjob", only: parts, workloads: [...some, "lateness of delayed tasks"] },
  { field: "sqlite", peers: "raw-sqlite", only: parts, workloads: some },
  {
    field: "postgres",
    peers: "q,graphile-worker,pg-boss",
    only: parts,
    workloads: [...some, "lateness of delayed tasks"],
  },
])(
  "the bench runs, with a few tasks, on $field: $peers",
  { timeout: 300_000 },
  async ({ field, peers, only, workloads }, { skip }) => {
    skip(
      field.startsWith("amqp") && !isInstalled("rabbitmq-server"),
      "no RabbitMQ here: apt-get install rabbitmq-server",
    );
    skip(field === "postgres" && !isInstalled("postgres"), "no PostgreSQL here: apt-get install postgresql");
    const args = ["--field", field, "--repeats", "1", "--tasks", "5", "--peers", peers];
    for (const part of only ?? []) args.push("--workloads", part);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args]);
    const steps = peers
      .split(",")
      .flatMap((peer) => workloads.map((workload) => `${field}, 1 of 1: ${workload}, ${peer}`));
    expect(stderr.trim().split("\n").toSorted()).toEqual(steps.toSorted());
    for (const workload of workloads) expect(stdout).toContain(`| ${workload} |`);
  },
);
