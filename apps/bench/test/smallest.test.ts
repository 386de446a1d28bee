import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** Each way to send, and a worker. */
const some = ["enqueue, bulk", "latency of an idle worker", "lateness of delayed tasks"];
const all = [
  "enqueue, one by one",
  "enqueue, 100 in flight",
  "drain, concurrency 1",
  "drain, concurrency 10",
  "drain, concurrency 100",
  "latency at 1,000 a second",
  "start of a worker",
  "pending tasks",
  ...some,
];

test.each([
  { peers: "q", workloads: all },
  { peers: "bullmq,bee-queue", workloads: some },
  { peers: "raw-redis", workloads: some.slice(0, 2) },
])("the bench runs, with a few tasks: $peers", { timeout: 300_000 }, async ({ peers, workloads }) => {
  const args = ["--repeats", "1", "--tasks", "20", "--peers", peers];
  if (workloads !== all) args.push("--workloads", "bulk,idle,delayed");
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args]);
  const steps = peers.split(",").flatMap((peer) => workloads.map((workload) => `1 of 1: ${workload}, ${peer}`));
  expect(stderr.trim().split("\n").toSorted()).toEqual(steps.toSorted());
  for (const workload of workloads) expect(stdout).toContain(`| ${workload} |`);
});
