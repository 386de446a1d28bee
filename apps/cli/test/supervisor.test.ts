import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Project, config, tasks, usualProject, type Running } from "./project.ts";

const soon = { timeout: 20_000 };

/** The processes that have become ready so far, oldest first. */
function readyPids(worker: Running): number[] {
  return worker.lines.filter(({ msg }) => /^process \d+ is ready$/.test(String(msg))).map(({ pid }) => Number(pid));
}

/** Starts a worker of several processes and waits until so many are ready. */
async function startWorker(project: Project, processes: number, ...args: string[]): Promise<Running> {
  const worker = project.start(["worker", "--processes", String(processes), ...args]);
  onTestFinished(() => {
    for (const pid of readyPids(worker)) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });
  await expect.poll(() => readyPids(worker).length, soon).toBe(processes);
  return worker;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function succeeded(worker: Running): number {
  return worker.lines.filter(({ event }) => event === "task.succeeded").length;
}

async function send(project: Project, task: string, args: object = {}): Promise<void> {
  expect((await project.q(["send", task, JSON.stringify(args), "-q"])).code).toBe(0);
}

/** Tells by which process it was run, and runs until told to go on. */
const whoTask = `
import { existsSync, appendFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { app } from "../../q.config.js";

export const who = app.instrumentedTask({ name: "who" }, async () => {
  appendFileSync("who", \`\${process.pid}\\n\`);
  while (!existsSync("go-on")) await wait(10);
});
`;

function whoProject(): Promise<Project> {
  return Project.create({ "q.config.ts": config, "src/tasks/who.ts": whoTask });
}

/** The processes that have begun to run the task, in order. */
function runners(project: Project): number[] {
  const file = join(project.folder, "who");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number) : [];
}

describe("a worker of several processes", () => {
  test("shares one queue among them, under names of their own", async () => {
    const project = await whoProject();
    const worker = await startWorker(project, 2, "-c1", "--name", "w@a");
    for (let n = 0; n < 2; n += 1) await send(project, "who");
    await expect.poll(() => new Set(runners(project)), soon).toEqual(new Set(readyPids(worker)));
    await project.write("go-on", "");
    await expect.poll(() => succeeded(worker), soon).toBe(2);
    const names = worker.lines.filter(({ event }) => event === "worker.ready").map(({ worker: name }) => name);
    expect(names).toEqual(["w@a-1", "w@a-2"]);
  });

  test("replaces one that was killed, and its task is run again", async () => {
    const project = await whoProject();
    const worker = await startWorker(project, 2);
    await send(project, "who");
    await expect.poll(() => runners(project).length, soon).toBe(1);
    const [killed = 0] = runners(project);
    process.kill(killed, "SIGKILL");
    await project.write("go-on", "");
    await expect.poll(() => succeeded(worker), soon).toBe(1);
    expect(runners(project)).toHaveLength(2);
    expect(runners(project)[1]).not.toBe(killed);
    await expect.poll(() => readyPids(worker).length, soon).toBe(3);
    expect(worker.stdout).toMatch(/process \d was ended by SIGKILL; another follows in \d+ ms/);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("ends with 0 when %s has let all finish", async (signal) => {
    const project = await whoProject();
    const worker = await startWorker(project, 2, "-c1");
    for (let n = 0; n < 2; n += 1) await send(project, "who");
    await expect.poll(() => runners(project).length, soon).toBe(2);
    worker.child.kill(signal);
    await expect.poll(() => worker.lines.filter(({ event }) => event === "worker.stopping").length, soon).toBe(2);
    await project.write("go-on", "");
    expect((await worker.finished).code).toBe(0);
    expect(succeeded(worker)).toBe(2);
    expect(readyPids(worker).map(isAlive)).toEqual([false, false]);
  });

  test("counts a signal once that reaches all of its processes, as that of a terminal or of systemd does", async () => {
    const project = await whoProject();
    const worker = await startWorker(project, 1);
    await send(project, "who");
    await expect.poll(() => runners(project).length, soon).toBe(1);
    worker.child.kill("SIGTERM");
    await expect.poll(() => worker.said({ event: "worker.stopping" }), soon).toBe(true);
    const [child = 0] = readyPids(worker);
    process.kill(child, "SIGHUP");
    process.kill(child, "SIGUSR2");
    await expect.poll(() => worker.stdout, soon).toContain("who has run for");
    await project.write("go-on", "");
    expect((await worker.finished).code).toBe(0);
    expect(succeeded(worker)).toBe(1);
  });

  test("hands back at the second signal, and ends as the processes do", async () => {
    const project = await whoProject();
    const worker = await startWorker(project, 2);
    await send(project, "who");
    await expect.poll(() => runners(project).length, soon).toBe(1);
    worker.child.kill("SIGTERM");
    await expect.poll(() => worker.said({ event: "worker.stopping", waitingFor: 1 }), soon).toBe(true);
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(143);
    expect(worker.said({ event: "task.released", task: "who" })).toBe(true);
  });

  test("leaves at the third signal, also when a process hangs", async () => {
    const project = await Project.create({
      "q.config.ts": config,
      "src/tasks/who.ts": whoTask.replace("while (", "for (;;);\n while ("),
    });
    const worker = await startWorker(project, 1);
    await send(project, "who");
    await expect.poll(() => runners(project).length, soon).toBe(1);
    // Of different kinds: two of a kind at once are one. They may arrive in another order.
    for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) worker.child.kill(signal);
    expect([129, 130, 143]).toContain((await worker.finished).code);
    await expect.poll(() => readyPids(worker).map(isAlive), soon).toEqual([false]);
  });

  test("leaves no process behind when the supervising one is killed", async () => {
    const project = await whoProject();
    const worker = await startWorker(project, 2);
    await send(project, "who");
    await expect.poll(() => runners(project).length, soon).toBe(1);
    worker.child.kill("SIGKILL");
    await expect.poll(() => worker.said({ event: "worker.stopping", waitingFor: 1 }), soon).toBe(true);
    await project.write("go-on", "");
    await expect.poll(() => readyPids(worker).map(isAlive), soon).toEqual([false, false]);
    expect(succeeded(worker)).toBe(1);
  });

  test("passes on what pauses and what resumes, and its health is that of the processes", async () => {
    const project = await usualProject();
    const args = ["--health-port", "0", "--pid-file", "q.pid", "--health-file", "alive"];
    const worker = await startWorker(project, 2, ...args);
    const port = /127\.0\.0\.1:(\d+)/.exec(worker.stdout)?.[1] ?? "";
    const statusOf = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    expect(readFileSync(join(project.folder, "q.pid"), "utf8")).toBe(`${worker.child.pid}\n`);
    expect([await statusOf("/livez"), await statusOf("/readyz")]).toEqual([200, 200]);
    worker.child.kill("SIGTSTP");
    await expect.poll(() => statusOf("/readyz"), soon).toBe(503);
    expect(await statusOf("/livez")).toBe(200);
    await send(project, "hello", { name: "later" });
    worker.child.kill("SIGCONT");
    await expect.poll(() => succeeded(worker), soon).toBe(1);
    await expect.poll(() => statusOf("/readyz"), soon).toBe(200);
    worker.child.kill("SIGUSR2");
    await expect.poll(() => worker.stdout.match(/tasks running, \d+ slots/g)?.length, soon).toBe(2);
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(0);
    expect(["q.pid", "alive"].map((name) => existsSync(join(project.folder, name)))).toEqual([false, false]);
  });

  test.each([
    ["speaks to systemd for all of them", []],
    ["does so with a file of variables, too", ["--env-file", "prod.env"]],
  ] as const)("%s", async (_what, args) => {
    const project = await usualProject();
    await project.write("prod.env", "SOME=thing\n");
    await project.write("bin/systemd-notify", `#!/bin/sh\necho "$*" >> '${project.folder}/told'\n`);
    chmodSync(join(project.folder, "bin/systemd-notify"), 0o755);
    const env = { PATH: `${project.folder}/bin:${process.env["PATH"] ?? ""}`, NOTIFY_SOCKET: "/run/notify" };
    const worker = project.start(["worker", "--processes", "2", ...args], { env });
    await expect.poll(() => readyPids(worker).length, soon).toBe(2);
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(0);
    const told = readFileSync(join(project.folder, "told"), "utf8").split("\n").slice(0, -1);
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/^READY=1 STATUS=[12] of 2 processes take tasks$/);
    expect(told[1]).toMatch(/^STOPPING=1 /);
  });

  test("replaces those that are used up until all is done", async () => {
    const project = await usualProject();
    await project.sendHellos(12);
    const worker = project.start(["worker", "--processes", "2", "--max-tasks-per-child", "3", "-c1", "--burst"]);
    expect((await worker.finished).code).toBe(0);
    expect(succeeded(worker)).toBe(12);
    expect(readyPids(worker).length).toBeGreaterThan(3);
    expect(worker.stdout).toContain("is used up; another follows now");
  });

  test("says once that its config is wrong, and ends", async () => {
    const project = await Project.create({ "q.config.ts": "export const app = {" });
    const { code, stdout, stderr } = await project.q(["worker", "--processes", "3"]);
    expect(code).toBe(2);
    expect(stderr.match(/error Q2002/g)).toHaveLength(1);
    expect(stdout).not.toContain("another follows");
  });

  test("tells of a process that cannot stay alive, and goes on trying", async () => {
    const project = await Project.create({
      "q.config.ts": config,
      "src/tasks/tasks.ts": `${tasks}\nsetTimeout(() => process.exit(9), 5);`,
    });
    const worker = project.start(["worker", "--processes", "1"]);
    await expect.poll(() => worker.said({ code: "Q4011" }), { timeout: 60_000 }).toBe(true);
    expect(worker.stdout).toContain("keeps ending soon after its start, the last time with exit code 9");
    await project.write("src/tasks/tasks.ts", tasks);
    await expect.poll(() => readyPids(worker).length, soon).toBeGreaterThan(0);
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(0);
  }, 90_000);

  test("gives up a process that cannot stay alive in a burst, and ends with its exit code", async () => {
    const project = await Project.create({ "q.config.ts": `${config}\nprocess.kill(process.pid, "SIGKILL");` });
    const { code, stdout } = await project.q(["worker", "--processes", "2", "--burst"]);
    expect(code).toBe(137);
    expect(stdout).toMatch(/keeps ending soon after its start, the last time with exit code 137; giving it up/);
  });
});

describe("a worker that watches", () => {
  const greeting = (word: string): string => tasks.replace("hello $", `${word} $`);

  test("runs the new code after a change", async () => {
    const project = await usualProject();
    const worker = project.start(["worker", "--watch"]);
    await expect.poll(() => readyPids(worker).length, soon).toBe(1);
    await project.write("src/tasks/tasks.ts", greeting("servus"));
    await expect.poll(() => readyPids(worker).length, soon).toBe(2);
    expect(worker.stdout).toContain("changed src/tasks/tasks.ts: restarting");
    await send(project, "hello", { name: "Ada" });
    await expect.poll(() => worker.stdout, soon).toContain("servus Ada");
    worker.child.kill("SIGINT");
    expect((await worker.finished).code).toBe(0);
  });

  test("says once that the new code does not load, and waits for the next change", async () => {
    const project = await usualProject();
    const worker = project.start(["worker", "--watch", "--processes", "2"]);
    await expect.poll(() => readyPids(worker).length, soon).toBe(2);
    await project.write("src/tasks/tasks.ts", "export const = ;");
    await expect.poll(() => worker.stdout, soon).toContain("waiting for a change");
    expect(worker.stderr.match(/error Q2002/g)).toHaveLength(1);
    await project.write("src/tasks/tasks.ts", tasks);
    await expect.poll(() => readyPids(worker).length, soon).toBe(4);
    worker.child.kill("SIGINT");
    expect((await worker.finished).code).toBe(0);
  });

  test("gives a task that never ends some seconds, then hands it back to the new process", async () => {
    const project = await whoProject();
    const worker = project.start(["worker", "--watch", "src"]);
    await expect.poll(() => readyPids(worker).length, soon).toBe(1);
    await send(project, "who");
    await expect.poll(() => runners(project).length, soon).toBe(1);
    await project.write("src/tasks/who.ts", `${whoTask}\n`);
    await expect.poll(() => runners(project).length, soon).toBe(2);
    await project.write("go-on", "");
    await expect.poll(() => succeeded(worker), soon).toBe(1);
  });

  test("refuses what is not there, and a burst", async () => {
    const project = await usualProject();
    const nothing = await project.q(["worker", "--watch", "srcs/**/*.ts"]);
    expect(nothing.code).toBe(2);
    expect(nothing.stderr).toContain("there is no");
    const burst = await project.q(["worker", "--watch", "--burst"]);
    expect(burst.code).toBe(2);
    expect(burst.stderr).toContain("--watch and --burst do not go together");
  });
});
