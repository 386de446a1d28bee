import { describe, expect, test } from "vitest";
import { type Project, type Running, usualProject } from "./project.ts";

const soon = { timeout: 20_000 };

async function projectWith(file: string): Promise<Project> {
  const project = await usualProject();
  await project.write("prod.env", file);
  return project;
}

/** The workers that have become ready so far, by name and number of slots. */
function readyWorkers(worker: Running): readonly string[] {
  return worker.lines
    .filter(({ event }) => event === "worker.ready")
    .map(({ worker: name, slots }) => `${String(name)}: ${String(slots)}`);
}

test("--env-file is read before the config", async () => {
  const project = await projectWith("Q_BROKER_URL=sqlite:from-file.db\n");
  const { stdout } = await project.q(["check", "--print-config", "--env-file", "prod.env"]);
  expect(stdout).toContain("sqlite:from-file.db");
});

test("one that is not there is an error of ours where Node leaves the flag alone, and else Node's own, with 9", async () => {
  const project = await usualProject();
  const args = ["check", "--env-file", "gone.env"];
  const ours = await project.q(args, { node: ["--"] });
  expect({ code: ours.code, stdout: ours.stdout }).toEqual({ code: 2, stdout: "" });
  expect(ours.stderr).toMatch(/^error Q2110 {2}--env-file gone\.env is not there\n/);
  expect(ours.stderr).toMatch(/looked for +\/.*\/gone\.env\n/);
  const nodes = await project.q(args);
  expect(nodes.stderr).toContain("gone.env");
  expect([2, 9]).toContain(nodes.code);
});

test("a folder is none", async () => {
  const project = await usualProject();
  const { code, stderr } = await project.q(["check", "--env-file", "src"], { node: ["--"] });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error Q2110 {2}--env-file src could not be read\n/);
});

test("what is in the environment beats the file", async () => {
  const project = await projectWith("Q_NAME=from-file\n");
  const { settings } = await project.json(["check", "--print-config", "--env-file", "prod.env"], {
    env: { Q_NAME: "from-outside" },
  });
  expect(settings).toContainEqual({ name: "worker name", value: "from-outside", from: "Q_NAME" });
});

describe("the settings in it count", () => {
  test("for a worker", async () => {
    const project = await projectWith("Q_NAME=w1\nQ_CONCURRENCY=3\n");
    const worker = project.start(["worker", "--burst", "--idle", "50ms", "--env-file", "prod.env"]);
    expect((await worker.finished).code).toBe(0);
    expect(readyWorkers(worker)).toEqual(["w1: 3"]);
  });

  test("for a worker of several processes", async () => {
    const project = await projectWith("Q_NAME=w\nQ_PROCESSES=2\n");
    const worker = project.start(["worker", "--env-file", "prod.env"]);
    await expect.poll(() => readyWorkers(worker), soon).toEqual(["w-1: 10", "w-2: 10"]);
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(0);
  });

  test("for a worker that watches, which reads them anew at every restart", async () => {
    const project = await projectWith("Q_NAME=before\nQ_CONCURRENCY=3\n");
    const worker = project.start(["worker", "--watch", "--env-file", "prod.env"]);
    await expect.poll(() => readyWorkers(worker), soon).toEqual(["before: 3"]);
    await project.write("prod.env", "Q_NAME=after\n");
    await project.write("src/tasks/tasks.ts", `${await project.read("src/tasks/tasks.ts")}\n`);
    await expect.poll(() => readyWorkers(worker), soon).toEqual(["before: 3", "after: 10"]);
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(0);
  });

  test("for q cron", async () => {
    const project = await projectWith("Q_LOG_LEVEL=loud\n");
    const { code, stderr } = await project.q(["cron", "--once", "--env-file", "prod.env"]);
    expect(code).toBe(2);
    expect(stderr).toContain('Q_LOG_LEVEL is "loud"');
  });
});
