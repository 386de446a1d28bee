import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { program, Project, usualProject } from "./project.ts";

const commands = [
  "worker",
  "send",
  "status",
  "queues list",
  "queues show",
  "queues pause",
  "queues resume",
  "queues purge",
  "dead list",
  "dead show",
  "dead retry",
  "dead drop",
  "check",
  "init",
  "completion",
];

describe("help", () => {
  test.each(commands)("q %s --help shows examples first, then every option", async (command) => {
    const project = await Project.create();
    const { code, stdout, stderr } = await project.q([...command.split(" "), "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.startsWith(`q ${command}`)).toBe(true);
    expect(stdout).toMatch(/^ {2}(q |source|id=)/m);
    expect(stdout).toContain("--json");
    expect(stdout).not.toContain("#0");
  });

  test("with --json every page is a document", async () => {
    const project = await Project.create();
    expect(await project.json(["help"])).toMatchObject({ v: 1, commands: expect.any(Array) });
    expect(await project.json(["help", "dead"])).toMatchObject({ commands: { length: 4 } });
    expect(await project.json(["send", "--help"])).toMatchObject({ command: "send", options: expect.any(Array) });
  });

  test("the overview names every command and goes to stdout", async () => {
    const project = await Project.create();
    const { code, stdout } = await project.q([]);
    expect(code).toBe(0);
    for (const command of commands) expect(stdout).toContain(command);
  });
});

describe("mistakes", () => {
  test.each([
    [["wroker"], 2, "Q2101", 'Did you mean "worker"?'],
    [["queues", "lst"], 2, "Q2101", 'Did you mean "queues list"?'],
    [["worker", "--concurency", "4"], 2, "Q2102", 'Did you mean "--concurrency"?'],
    [["worker", "-c", "0"], 2, "Q2103", "expected a whole number"],
    [["worker", "-P", "threads"], 2, "Q2103", "expected one of async"],
    [["send"], 2, "Q2103", "expected <task>"],
    [["--foo"], 2, "Q2102", "q <command> --foo"],
    [["--jsn"], 2, "Q2102", 'Did you mean "--json"?'],
    [["--config", "q.config.ts"], 2, "Q2101", "q help lists the commands"],
    [["queues", "pause"], 2, "Q2103", "expected <queue>"],
    [["schedule", "resume"], 2, "Q2103", "expected <schedule>"],
    [["status", "--watch=0s"], 2, "Q2103", "expected more than nothing"],
    [["worker", "--pidfile", "q.pid"], 2, "Q2001", "q init"],
    [["status"], 2, "Q2001", "q init"],
  ])("%j ends with %i and says %s on stderr only", async (args, expected, errorCode, hint) => {
    const project = await Project.create();
    const { code, stdout, stderr } = await project.q(args);
    expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^error ${errorCode}  `));
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain("    at ");
  });

  test("with --json an error is one versioned document on stderr", async () => {
    const project = await Project.create();
    const { code, stdout, stderr } = await project.q(["status", "--json"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(JSON.parse(stderr)).toMatchObject({ v: 1, error: { code: "Q2001" } });
  });

  test("-v shows the stack", async () => {
    const project = await Project.create();
    expect((await project.q(["status", "-v"])).stderr).toContain("    at ");
  });
});

describe("colours", () => {
  test("a pipe gets none, unless they are forced; NO_COLOR and --no-color win", async () => {
    const project = await usualProject();
    const escape = "\u001b[";
    expect((await project.q(["--help"])).stdout).not.toContain(escape);
    expect((await project.q(["--help"], { env: { FORCE_COLOR: "1" } })).stdout).toContain(escape);
    expect((await project.q(["--help"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).stdout).not.toContain(escape);
    expect((await project.q(["--help", "--no-color"], { env: { FORCE_COLOR: "1" } })).stdout).not.toContain(escape);
  });
});

test("a reader that goes away ends the command quietly", async () => {
  const project = await Project.create();
  const running = project.start(["help"]);
  running.child.stdout?.destroy();
  const { code, stderr } = await running.finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

test("a result that cannot be written is an error, and no empty file with success", async ({ skip }) => {
  skip(!existsSync("/dev/full"), "no /dev/full here: it stands for a full disk");
  const project = await usualProject();
  const full = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(full));
  const { status, stderr } = spawnSync(process.execPath, [program, "queues", "--json"], {
    cwd: project.folder,
    stdio: ["ignore", full, "pipe"],
    encoding: "utf8",
  });
  expect({ status, error: (JSON.parse(stderr) as { error: { code: string } }).error.code }).toEqual({
    status: 1,
    error: "Q2124",
  });
});
