import { setImmediate } from "node:timers/promises";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { config, Project, usualProject } from "./project.ts";

const burst = ["worker", "--burst", "--idle", "50ms"];
const slowly = { timeout: 15_000 };

function readIn(project: Project, path: string): string {
  const file = join(project.folder, path);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** What waits, now or for later, in each of the two queues. */
async function waitingIn(project: Project): Promise<readonly number[]> {
  const { queues } = await project.json(["queues"]);
  return (queues as { ready: number; delayed: number }[]).map(({ ready, delayed }) => ready + delayed);
}

describe("--log-file", () => {
  test("takes the lines instead of stdout, as JSON, behind those of the last run", async () => {
    const project = await usualProject();
    for (let run = 1; run <= 2; run += 1)
      expect(await project.q([...burst, "-f", "q.log"])).toEqual({ code: 0, stdout: "", stderr: "" });
    const events = readIn(project, "q.log")
      .split("\n")
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { event?: string }).event);
    const once = ["worker.ready", "worker.stopping", "worker.stopped"];
    expect(events.filter((event) => event !== undefined)).toEqual([...once, ...once]);
  });

  test("has pretty lines where they are wanted: dated, without colours, and with what the banner would say", async () => {
    const project = await usualProject();
    await project.q(["send", "hello", '{"name":"Ada"}']);
    const args = [...burst, "--log-file", "q.log", "--log-format", "pretty", "-n", "w1"];
    await project.q(args, { env: { FORCE_COLOR: "1", Q_RELEASE: "41c09e" } });
    const text = readIn(project, "q.log");
    expect(text).toMatch(/^\d{4}-\d\d-\d\d [\d:.]+ {2}ready w1 {2}10 slots .* release=41c09e$/m);
    expect(text).toMatch(/^\d{4}-\d\d-\d\d [\d:.]+ {2}ok {4}hello/m);
    expect(text).not.toContain("\u001b");
  });

  test("may be rotated while the worker runs", async () => {
    const project = await usualProject();
    const worker = project.start(["worker", "-f", "q.log"]);
    await expect.poll(() => readIn(project, "q.log"), slowly).toContain("worker.ready");
    renameSync(join(project.folder, "q.log"), join(project.folder, "q.log.1"));
    const newLog = (): string => {
      worker.child.kill("SIGUSR2");
      return readIn(project, "q.log");
    };
    await expect.poll(newLog, slowly).toContain("0 tasks running");
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(0);
    expect(readIn(project, "q.log")).toContain("worker.stopped");
    expect(readIn(project, "q.log.1")).not.toContain("worker.stopped");
  });

  test("that cannot be opened is an error before anything starts", async () => {
    const project = await usualProject();
    const { code, stdout, stderr } = await project.q(["worker", "-f", "no/such/folder/q.log"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Q2117");
  });
});

test("the file of --pid-file is there when the process listens for signals", async () => {
  const project = await usualProject();
  const worker = project.start(["worker", "--pid-file", "q.pid"]);
  // A look each turn: the next steps of the worker are near.
  while (!existsSync(join(project.folder, "q.pid"))) await setImmediate();
  worker.child.kill("SIGUSR2");
  await expect.poll(() => worker.stdout, slowly).toContain("0 tasks running");
});

describe("--purge", () => {
  async function projectWithWaiting(): Promise<Project> {
    const project = await usualProject();
    await project.q(["send", "hello", '{"name":"Ada"}']);
    await project.q(["send", "hello", '{"name":"Bob"}', "--countdown", "1h"]);
    await project.q(["send", "fail", "{}"]);
    return project;
  }

  test.each([
    ["without --yes", ["--purge"], {}, 6, "Q2106"],
    ["in production", ["--purge", "--yes"], { NODE_ENV: "production" }, 6, "Q2118"],
    ["where only looking is allowed", ["--purge", "--yes"], { Q_READ_ONLY: "1" }, 6, "Q2119"],
    ["with several processes", ["--purge", "--yes", "--processes", "2"], {}, 2, "Q2103"],
  ])("is refused %s, and nothing is deleted", async (_when, flags, env, expected, errorCode) => {
    const project = await projectWithWaiting();
    const { code, stdout, stderr } = await project.q([...burst, ...flags], { env });
    expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
    expect(stderr).toContain(errorCode);
    expect(await waitingIn(project)).toEqual([2, 1]);
  });

  test("deletes what waits in the chosen queues, says how many, and leaves the others alone", async () => {
    const project = await projectWithWaiting();
    const worker = project.start([...burst, "-Q", "default", "--purge", "-y"]);
    expect((await worker.finished).code).toBe(0);
    expect(worker.said({ queue: "default", purged: 2, msg: "--purge deleted 2 waiting tasks" })).toBe(true);
    expect(worker.said({ event: "task.succeeded" })).toBe(false);
    expect(await waitingIn(project)).toEqual([0, 1]);
  });

  test("needs a broker that can purge", async () => {
    const project = await Project.create({
      "q.config.ts": `import { createApp } from "@q/core";
        const broker = { name: "simple", address: "simple:", connected: false, open: async () => {}, publish: async () => {}, consume: async () => {}, close: async () => {} } as never;
        export const app = createApp({ broker, queues: ["one"] });`,
    });
    const { code, stderr } = await project.q(["worker", "--purge", "--yes"]);
    expect(code).toBe(1);
    expect(stderr).toContain("Q2107");
  });
});

test("-E is taken and said to do nothing; -O, which would have to do something, is not", async () => {
  const project = await usualProject();
  const { code, stdout } = await project.q([...burst, "-E"]);
  expect(code).toBe(0);
  expect(stdout).toContain("-E does nothing");
  expect((await project.q(["worker", "-O", "fair"])).stderr).toContain("Q2102");
});

test("the release stands in the ready line, in q status and in q check", async () => {
  const project = await usualProject();
  const env = { GITHUB_SHA: "0000", Q_RELEASE: "41c09e" };
  const worker = project.start(["worker", "-n", "w1"], { env });
  await expect.poll(() => worker.said({ event: "worker.ready", release: "41c09e" }), slowly).toBe(true);
  expect(await project.json(["status"])).toMatchObject({ workers: [{ worker: "w1", release: "41c09e" }] });
  const { settings } = await project.json(["check", "--print-config"], { env });
  expect(settings).toContainEqual({ name: "worker release", value: "41c09e", from: "Q_RELEASE" });
});

test("with Q_READ_ONLY people look and send, and change nothing", async () => {
  const project = await usualProject();
  const env = { Q_READ_ONLY: "1" };
  expect((await project.q(["send", "hello", '{"name":"Ada"}'], { env })).code).toBe(0);
  for (const args of [
    ["queues", "pause", "default"],
    ["queues", "resume", "default"],
    ["purge", "default", "--yes"],
    ["dead", "retry", "--all", "--yes"],
    ["dead", "drop", "--all", "--yes"],
  ]) {
    const { code, stdout, stderr } = await project.q(args, { env });
    expect({ args, code, stdout }).toEqual({ args, code: 6, stdout: "" });
    expect(stderr).toContain("Q2119");
  }
  expect((await project.q(["purge", "default", "--dry-run"], { env })).stdout).toContain("Would delete 1");
  expect((await project.q(["status"], { env })).code).toBe(0);
  await project.write("look.env", "Q_READ_ONLY=1\n");
  expect((await project.q(["purge", "default", "--yes", "--env-file", "look.env"])).code).toBe(6);
  expect(await waitingIn(project)).toEqual([1, 0]);
});

test("a task file that names a queue wrongly ends with 2, though a queue that is asked for wrongly ends with 4", async () => {
  const project = await Project.create({
    "q.config.ts": config,
    "src/tasks/typo.ts": `import { app } from "../../q.config.js"; app.instrumentedTask({ name: "x", queue: "emial" as never }, () => {});`,
  });
  const { code, stderr } = await project.q(["worker"]);
  expect(code).toBe(2);
  expect(stderr).toContain("Q2003");
  expect(stderr).toContain('Did you mean "email"?');
  expect(stderr).toContain('"x" at src/tasks/typo.ts:1');
  expect((await project.q(["queues", "show", "emial"])).code).toBe(4);
});

describe("under systemd", () => {
  test("it tells when it is ready and when it stops, feeds the watchdog, and its tasks are not asked to", async () => {
    const project = await Project.create({
      "q.config.ts": config,
      "src/tasks/look.ts": `import { app } from "../../q.config.js";
        app.instrumentedTask({ name: "look" }, async (_args: object, ctx) => ctx.logger.info({}, \`socket \${process.env.NOTIFY_SOCKET}\`));`,
    });
    await project.q(["send", "look"]);
    await project.write("bin/systemd-notify", `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> '${project.folder}/told'\n`);
    chmodSync(join(project.folder, "bin/systemd-notify"), 0o755);
    const { PATH = "" } = process.env;
    const env = { PATH: `${project.folder}/bin:${PATH}`, NOTIFY_SOCKET: "/run/notify", WATCHDOG_USEC: "100000" };
    const worker = project.start(["worker"], { env });
    const done = "/run/notify WATCHDOG=1 STATUS=0 of 10 slots busy, 1 task done";
    await expect.poll(() => readIn(project, "told"), slowly).toContain(done);
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(0);
    const told = readIn(project, "told").split("\n").slice(0, -1);
    expect(told[0]).toMatch(/^\/run\/notify READY=1 STATUS=/);
    expect(told.at(-1)).toMatch(/^\/run\/notify STOPPING=1 STATUS=stopping/);
    expect(worker.said({ msg: "socket undefined" })).toBe(true);
  });

  test("without the program it warns once and works on", async () => {
    const project = await usualProject();
    await project.q(["send", "hello", '{"name":"Ada"}']);
    mkdirSync(join(project.folder, "empty"));
    const env = { PATH: join(project.folder, "empty"), NOTIFY_SOCKET: "/run/notify", WATCHDOG_USEC: "1000" };
    const worker = project.start(burst, { env });
    expect((await worker.finished).code).toBe(0);
    expect(worker.said({ event: "task.succeeded" })).toBe(true);
    expect(worker.lines.filter(({ msg }) => String(msg).includes("systemd-notify"))).toHaveLength(1);
  });

  const programs = [
    ["systemd-notify", "--version"],
    ["python3", "--version"],
  ] as const;
  const arePresent = programs.every(([name, ...args]) => spawnSync(name, args).status === 0);

  test.runIf(arePresent)("the real program reaches a socket as systemd's", async () => {
    const project = await usualProject();
    const socket = join(project.folder, "notify");
    const systemd = spawn("python3", ["-c", listener, socket]);
    onTestFinished(() => void systemd.kill("SIGKILL"));
    let heard = "";
    systemd.stdout.on("data", (chunk: Buffer) => (heard += chunk.toString()));
    await expect.poll(() => heard, slowly).toContain("listening");
    const worker = project.start(["worker"], { env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "400000" } });
    await expect.poll(() => heard, slowly).toContain("WATCHDOG=1\nSTATUS=0 of 10 slots busy");
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(0);
    await expect.poll(() => heard).toContain("STOPPING=1\nSTATUS=stopping");
    expect(heard).toMatch(/^listening\nREADY=1\nSTATUS=/);
    expect(worker.stdout).not.toContain("systemd-notify");
  });
});

/** What systemd does with its socket, as far as it matters here. Node has no sockets of this kind. */
const listener = `
import socket, sys
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(sys.argv[1])
print("listening", flush=True)
while True:
    message = notify.recv(4096).decode()
    if message != "BARRIER=1":
        print(message, flush=True)
`;
