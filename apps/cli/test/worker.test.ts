import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { config, Project, usualProject, type Running } from "./project.ts";

interface Busy {
  readonly project: Project;
  readonly worker: Running;
}

/** A worker in the middle of a task that ends when a file appears. */
async function busyWorker(task: string, ...args: string[]): Promise<Busy> {
  const project = await usualProject();
  await project.q(["send", task, "{}", "--id", "running-1"]);
  const worker = project.start(["worker", "-l", "DEBUG", ...args]);
  await expect.poll(() => worker.said({ event: "task.started" }), { timeout: 15_000 }).toBe(true);
  return { project, worker };
}

/** Ready and in flight, of the one queue. */
async function waitingIn(project: Project): Promise<readonly (readonly [number, number])[]> {
  const { queues } = await project.json(["queues", "-Q", "default"]);
  return (queues as { ready: number; inFlight: number }[]).map(({ ready, inFlight }) => [ready, inFlight]);
}

describe("a worker that is told to stop", () => {
  test("ends what runs, then ends with 0", async () => {
    const { project, worker } = await busyWorker("slow");
    worker.child.kill("SIGTERM");
    await expect.poll(() => worker.said({ event: "worker.stopping" })).toBe(true);
    await project.write("go-on", "");
    expect((await worker.finished).code).toBe(0);
    expect(worker.said({ event: "task.succeeded", id: "running-1" })).toBe(true);
    expect(await waitingIn(project)).toEqual([[0, 0]]);
  });

  test("hands back what has not ended in time, and ends with 0", async () => {
    const { project, worker } = await busyWorker("slow", "-t", "200ms");
    worker.child.kill("SIGINT");
    expect((await worker.finished).code).toBe(0);
    expect(worker.said({ event: "task.released", id: "running-1" })).toBe(true);
    expect(await waitingIn(project)).toEqual([[1, 0]]);
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("hands back at once at the second %s, and ends with %i", async (signal, code) => {
    const { project, worker } = await busyWorker("slow");
    worker.child.kill("SIGTERM");
    await expect.poll(() => worker.said({ event: "worker.stopping" })).toBe(true);
    worker.child.kill(signal);
    expect((await worker.finished).code).toBe(code);
    expect(await waitingIn(project)).toEqual([[1, 0]]);
  });
});

describe("signals", () => {
  test("SIGTSTP takes no more, SIGCONT goes on, SIGUSR2 tells what runs whatever the level", async () => {
    const { project, worker } = await busyWorker("slow", "-l", "warn", "-l", "debug");
    worker.child.kill("SIGTSTP");
    await expect.poll(() => worker.said({ event: "worker.paused" }), { timeout: 15_000 }).toBe(true);
    worker.child.kill("SIGUSR2");
    await expect.poll(() => worker.stdout).toContain("slow has run for");
    await project.q(["send", "hello", '{"name":"later"}']);
    await project.write("go-on", "");
    await expect.poll(() => worker.said({ event: "task.succeeded", task: "slow" })).toBe(true);
    expect(worker.said({ event: "task.started", task: "hello" })).toBe(false);
    worker.child.kill("SIGCONT");
    await expect.poll(() => worker.said({ event: "task.succeeded", task: "hello" }), { timeout: 10_000 }).toBe(true);
  });
});

test("an error that nobody caught ends the worker with 70, its task handed back", async () => {
  const { project, worker } = await busyWorker("crash", "-t", "100ms");
  expect((await worker.finished).code).toBe(70);
  expect(worker.stdout).toContain("thrown out of a timer");
  expect(await waitingIn(project)).toEqual([[1, 0]]);
}, 60_000);

test.each([
  [0, 70],
  [9, 9],
])(
  "a handler that calls process.exit(%i) ends the worker with %i, and is told of by name and place",
  async (given, code) => {
    const project = await usualProject();
    await project.write(
      "src/tasks/leave.ts",
      `import { app } from "../../q.config.js";
     app.instrumentedTask({ name: "leave" }, () => {
       process.exit(${given});
     });`,
    );
    await project.q(["send", "leave", "{}"]);
    const worker = await project.q(["worker", "--pid-file", "q.pid"]);
    expect(worker.code).toBe(code);
    expect(existsSync(join(project.folder, "q.pid"))).toBe(false);
    expect(worker.stderr).toContain(`error Q4013  process.exit(${given}) was called while q was at work`);
    expect(worker.stderr).toMatch(/at +src\/tasks\/leave\.ts:3:/);
    expect(worker.stderr).toMatch(/running +leave/);
  },
);

test("health, pid file and health file come and go with the worker", async () => {
  const project = await usualProject();
  const args = ["worker", "--health-port", "0", "--pid-file", "q.pid", "--health-file", "alive"];
  const worker = project.start([...args, "--log-format", "pretty"]);
  const port = await expect
    .poll(() => /http:\/\/127\.0\.0\.1:(\d+)\/livez/.exec(worker.stderr)?.[1], { timeout: 15_000 })
    .toBeDefined()
    .then(() => /127\.0\.0\.1:(\d+)/.exec(worker.stderr)?.[1] ?? "");
  const statusOf = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  expect([await statusOf("/livez"), await statusOf("/readyz"), await statusOf("/other")]).toEqual([200, 200, 404]);
  await expect.poll(() => existsSync(join(project.folder, "alive"))).toBe(true);
  const second = await project.q(args);
  expect(second.stdout).toBe("");
  expect(second.stderr).toContain(`belongs to process ${worker.child.pid}`);
  worker.child.kill("SIGTSTP");
  await expect.poll(() => statusOf("/readyz")).toBe(503);
  expect(await statusOf("/livez")).toBe(200);
  worker.child.kill("SIGTERM");
  expect((await worker.finished).code).toBe(0);
  expect(["q.pid", "alive"].map((name) => existsSync(join(project.folder, name)))).toEqual([false, false]);
});

test("the banner tells broker, queues, slots, tasks, and warns last; a pipe has no colours and no footer", async () => {
  const project = await usualProject();
  await project.q(["send", "fail", "{}"]);
  await project.q(["send", "hello", '{"name":"Ada"}']);
  const args = [
    "worker",
    "-Q",
    "default:2",
    "--burst",
    "--idle",
    "50ms",
    "--log-format",
    "pretty",
    "-n",
    "w1@%h",
    "-c2",
  ];
  const { code, stdout, stderr } = await project.q(args);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect(stderr).toMatch(/broker {3}sqlite:\.q\/q\.db {2}\d+(\.\d)? (ms|s)\n/);
  expect(stderr).toContain("slots    2 async");
  expect(stderr).toMatch(/! email has 1 waiting task and no worker takes from it\n {2}Ready in \d+ ms/);
  expect(stderr).toMatch(/ok {4}hello/);
  expect(stderr).not.toContain("\u001b");
});

test("the banner comes before the tasks that were there already", async () => {
  const project = await Project.create({
    "q.config.ts": config
      .replace(
        "export const app",
        `import { existsSync } from "node:fs";
       import { setTimeout as wait } from "node:timers/promises";
       const broker = sqlite("sqlite:.q/q.db");
       // It does not answer the banner's question before a task has run.
       const stats = broker.inspector.stats.bind(broker.inspector);
       const slowStats = async (queue: string) => {
         while (process.argv[2] === "worker" && !existsSync("ran")) await wait(10);
         return stats(queue);
       };
       broker.inspector.stats = slowStats;
       export const app`,
      )
      .replace(/broker: sqlite.*,/, "broker,"),
    "src/tasks/run.ts": `import { writeFileSync } from "node:fs";
      import { app } from "../../q.config.js";
      app.instrumentedTask({ name: "run" }, (_args: object, ctx) => {
        ctx.logger.info({}, "said in a task");
        writeFileSync("ran", "");
      });`,
  });
  await project.q(["send", "run", "{}"]);
  const args = ["worker", "--burst", "--idle", "50ms", "--log-format", "pretty", "-n", "w1"];
  const { code, stderr } = await project.q(args);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^ {2}q .* worker w1/);
  expect(stderr).toMatch(/Ready in[^]* said in a task\n.* ok {4}run /);
});

test("an unknown queue stops it before it starts, unless it is told to go on", async () => {
  const project = await usualProject();
  const refused = await project.q(["worker", "-Q", "emial"]);
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain("--ignore-unknown-queues");
  const args = ["worker", "-Q", "emial,default", "--ignore-unknown-queues", "--burst", "--idle", "50ms"];
  const went = await project.q(args);
  expect(went.code).toBe(0);
  expect(went.stdout).toContain('no queue named \\"emial\\"');
});

test("a worker warns of a queue of its own that is paused", async () => {
  const project = await usualProject();
  await project.q(["queues", "pause", "email"]);
  const { stdout } = await project.q(["worker", "--burst", "--idle", "50ms"]);
  expect(stdout).toContain("email is paused: no worker takes from it until q queues resume email");
});

test("--max ends a burst after that many, and leaves the rest", async () => {
  const project = await usualProject();
  await project.sendHellos(3);
  expect((await project.q(["worker", "--burst", "--max", "2", "-c1"])).code).toBe(0);
  expect(await waitingIn(project)).toEqual([[1, 0]]);
});

describe("--max of a burst", () => {
  test("lets what it took finish, however long that takes", async () => {
    const project = await usualProject();
    await project.write(
      "src/tasks/long.ts",
      `import { setTimeout as wait } from "node:timers/promises";
       import { app } from "../../q.config.js";
       app.instrumentedTask({ name: "long" }, () => wait(1000));`,
    );
    for (let sent = 0; sent < 3; sent += 1) await project.q(["send", "long", "{}"]);
    const worker = project.start(["worker", "--burst", "--max", "2", "-t", "50ms"]);
    expect((await worker.finished).code).toBe(0);
    expect(worker.lines.filter(({ event }) => event === "task.succeeded")).toHaveLength(2);
    expect(worker.said({ event: "task.released" })).toBe(false);
    expect(await waitingIn(project)).toEqual([[1, 0]]);
  });

  test("does not keep a signal from handing back what runs", async () => {
    const { project, worker } = await busyWorker("slow", "--burst", "--max", "1", "-t", "50ms");
    await expect.poll(() => worker.said({ event: "worker.paused" }), { timeout: 15_000 }).toBe(true);
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(0);
    expect(worker.said({ event: "task.released" })).toBe(true);
    expect(await waitingIn(project)).toEqual([[1, 0]]);
  });
});

test("a process that is used up ends by itself, in good order, and leaves the rest", async () => {
  const project = await usualProject();
  await project.sendHellos(20);
  const { code, stdout } = await project.q(["worker", "--max-tasks-per-child", "5", "-c1"]);
  expect(code).toBe(0);
  expect(stdout).toContain("the process is used up");
  const [[ready, inFlight] = [0, 0]] = await waitingIn(project);
  expect(ready).toBeGreaterThanOrEqual(15);
  expect(ready).toBeLessThan(20);
  expect(inFlight).toBe(0);
});

describe("a process that is used up", () => {
  test("lets what it took finish, however long that takes", async () => {
    const { project, worker } = await busyWorker("slow", "--max-tasks-per-child", "1", "-t", "50ms");
    await expect.poll(() => worker.said({ event: "worker.paused" }), { timeout: 15_000 }).toBe(true);
    await project.write("go-on", "");
    expect((await worker.finished).code).toBe(0);
    expect(worker.said({ event: "task.succeeded", id: "running-1" })).toBe(true);
    expect(await waitingIn(project)).toEqual([[0, 0]]);
  });

  test("hands it back when a signal comes", async () => {
    const { project, worker } = await busyWorker("slow", "--max-tasks-per-child", "1", "-t", "50ms");
    await expect.poll(() => worker.said({ event: "worker.paused" }), { timeout: 15_000 }).toBe(true);
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(0);
    expect(worker.said({ event: "task.released", id: "running-1" })).toBe(true);
    expect(await waitingIn(project)).toEqual([[1, 0]]);
  });
});

test.each([
  ["is used up", ["--max-tasks-per-child", "1", "-c2"]],
  ["has taken as many as a burst may", ["--burst", "--max", "1"]],
])("a process that %s takes no more after SIGCONT, and ends when all that runs is done", async (_what, args) => {
  const { project, worker } = await busyWorker("slow", ...args);
  await expect.poll(() => worker.said({ event: "worker.paused" }), { timeout: 15_000 }).toBe(true);
  await project.q(["send", "hello", '{"name":"later"}']);
  worker.child.kill("SIGCONT");
  await expect.poll(() => worker.stdout, { timeout: 10_000 }).toContain("takes no more tasks");
  await project.write("go-on", "");
  expect((await worker.finished).code).toBe(0);
  expect(worker.lines.filter(({ event }) => event === "task.started")).toHaveLength(1);
  expect(await waitingIn(project)).toEqual([[1, 0]]);
});

test("what goes wrong after its start ends a worker in good order, its task handed back", async () => {
  const project = await usualProject();
  await project.q(["send", "slow", "{}", "--id", "running-1"]);
  // Its health file is looked at when it runs.
  const worker = project.start(["worker", "-l", "debug", "--health-file", "no/such/folder/alive"]);
  expect((await worker.finished).code).toBe(2);
  expect(worker.stderr).toContain("Q2114");
  const events = worker.lines.map(({ event }) => event).filter((event) => event !== undefined);
  expect(events.slice(-2)).toEqual([expect.stringMatching(/task.released|worker.stopping/), "worker.stopped"]);
  expect(await waitingIn(project)).toEqual([[1, 0]]);
});

test("a port that is taken is an error, and the worker leaves nothing behind", async () => {
  const project = await usualProject();
  const first = project.start(["worker", "--health-port", "0", "--log-format", "pretty"]);
  await expect.poll(() => first.stderr, { timeout: 15_000 }).toContain("/livez");
  const port = /127\.0\.0\.1:(\d+)/.exec(first.stderr)?.[1] ?? "";
  const { code, stderr } = await project.q(["worker", "--health-port", port]);
  expect(code).toBe(2);
  expect(stderr).toContain("Q2111");
});
