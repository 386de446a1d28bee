import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isInstalled, RedisServer } from "@q/test-servers";
import { expect, onTestFinished, test, vi } from "vitest";
import { Child } from "../src/child.ts";
import { celeryOnRabbit, celeryOnRedis } from "../src/peers/celery.ts";
import { versionsOf } from "../src/peer-versions.ts";
import { linkToPython } from "../src/python-link.ts";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const peer = celeryOnRedis("prefork");
const { python } = peer;
const isHere = versionsOf(peer) !== undefined;
const absent = `no Celery here: apt-get install ${python.apt}`;

const ofWorker = [
  "drain, concurrency 1",
  "drain, concurrency 10",
  "drain, concurrency 100",
  "latency of an idle worker",
  "latency at 1,000 a second",
  "start of a worker",
];
const ofBoth = [...ofWorker, "enqueue, one by one", "enqueue, bulk"];
const delayed = "lateness of delayed tasks";

test.for([
  { field: "redis", peer: "celery-prefork", steps: [...ofBoth, delayed, "pending tasks"] },
  { field: "redis", peer: "celery-threads", steps: [...ofWorker, delayed] },
  { field: "amqp-classic", peer: "celery-prefork", steps: ofBoth },
  { field: "amqp-classic", peer: "celery-threads", steps: ofWorker },
])(
  "the bench runs Celery, with a few tasks, on $field: $peer",
  { timeout: 300_000 },
  async ({ field, peer: name, steps }, { skip }) => {
    skip(!isHere || (field !== "redis" && versionsOf(celeryOnRabbit("prefork")) === undefined), absent);
    skip(field !== "redis" && !isInstalled("rabbitmq-server"), "no RabbitMQ here: apt-get install rabbitmq-server");
    const args = ["--field", field, "--repeats", "1", "--tasks", "5", "--peers", name];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args]);
    const expected = steps.map((workload) => `${field}, 1 of 1: ${workload}, ${name}`);
    expect(stderr.trim().split("\n").toSorted()).toEqual(expected.toSorted());
    for (const workload of steps) expect(stdout).toContain(`| ${workload} |`);
    expect(stdout).toMatch(/celery \d.*kombu \d.*billiard \d/);
  },
);

async function place(): Promise<{ readonly host: string; readonly port: number; readonly queue: string }> {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  return { host: server.host, port: server.port, queue: "bench" };
}

test("what fails in a process in Python is told in its own words", async ({ skip }) => {
  skip(!isHere, absent);
  const child = new Child<unknown, unknown>(linkToPython(python.scripts.sender, python));
  onTestFinished(() => child.end());
  await child.setUp({ place: await place() });
  await expect(child.ask({ manner: "by pigeon", count: 1 })).rejects.toThrow("KeyError: 'by pigeon'");
});

test("a worker in Python ends with its pool when its parent says nothing more", async ({ skip }) => {
  skip(!isHere, absent);
  const link = linkToPython(python.scripts.runner, python);
  const child = new Child<unknown, unknown>(link);
  onTestFinished(() => child.end());
  await child.setUp({ place: await place(), concurrency: 2, warmUp: 0, count: 1, measuresAge: false });
  const group = -(link.process.pid ?? Number.NaN);
  expect(process.kill(group, 0)).toBe(true);
  await child.end();
  // Whoever inherits them has to notice their end.
  await vi.waitFor(() => expect(() => process.kill(group, 0)).toThrow("ESRCH"), { timeout: 10_000 });
});
