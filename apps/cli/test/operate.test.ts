import { describe, expect, test } from "vitest";
import { config, Project, usualProject } from "./project.ts";

/** Two dead tasks and one that waits. */
async function projectWithDead(): Promise<Project> {
  const project = await usualProject();
  for (const id of ["dead-number-1", "dead-number-2"]) await project.q(["send", "fail", '{"secret":1}', "--id", id]);
  await project.q(["worker", "--burst", "--idle", "100ms"]);
  await project.q(["send", "hello", '{"name":"Ada"}', "--id", "waiting-1"]);
  return project;
}

describe("q status and q queues", () => {
  test("show what waits and what is dead, as a table and as JSON", async () => {
    const project = await projectWithDead();
    const { code, stdout, stderr } = await project.q(["status"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^QUEUE +WAITING/);
    expect(stdout).toMatch(/^default +1 /m);
    expect(stdout).toMatch(/^email +0 .* 2 +none$/m);
    expect(stderr).toContain("default has 1 waiting task and no worker takes from it: q worker -Q default");
    expect(await project.json(["queues"])).toMatchObject({
      v: 1,
      queues: [
        { queue: "default", ready: 1, dead: 0 },
        { queue: "email", ready: 0, dead: 2 },
      ],
    });
  });

  test("--fail-on ends with 1 when a condition is met", async () => {
    const project = await projectWithDead();
    const met = await project.q(["status", "--fail-on", "oldest>1h,dead>1"]);
    expect(met.code).toBe(1);
    expect(met.stderr).toContain("email: dead>1 (2)");
    expect((await project.q(["status", "--fail-on", "dead>2"])).code).toBe(0);
  });

  test("a running worker is listed with its slots, and a paused queue is not worked on", async () => {
    const project = await usualProject();
    expect((await project.q(["queues", "pause", "default"])).stdout).toContain("q queues resume default");
    await project.q(["send", "hello", '{"name":"Ada"}']);
    const worker = project.start(["worker", "-n", "w1", "-c4"]);
    await expect.poll(() => worker.said({ event: "worker.ready" }), { timeout: 15_000 }).toBe(true);
    expect(await project.json(["status"])).toMatchObject({
      queues: [{ queue: "default", ready: 1, paused: true, consumers: 1 }, { queue: "email" }],
      workers: [{ worker: "w1", slots: 4, busy: 0, pid: worker.child.pid }],
    });
    await project.q(["queues", "resume", "default"]);
    await expect.poll(() => worker.said({ event: "task.succeeded" }), { timeout: 10_000 }).toBe(true);
    expect(await project.json(["status"])).toMatchObject({
      queues: [
        { queue: "default", finishedPerMinute: 1 },
        { queue: "email", finishedPerMinute: 0 },
      ],
      workers: [{ worker: "w1", finishedPerMinute: { default: 1 } }],
    });
    expect((await project.q(["status"])).stdout).toMatch(/ OUT\/MIN .*\ndefault +0 +0 +0 +1 +0 +1/);
  });

  test("a queue may be called as a property of every object is", async () => {
    const project = await Project.create({
      "q.config.ts": config.replace('"email"', '"constructor"'),
      "src/tasks/none.ts": "",
    });
    const worker = project.start(["worker"]);
    await expect.poll(() => worker.said({ event: "worker.ready" }), { timeout: 15_000 }).toBe(true);
    expect(await project.json(["status", "-Q", "constructor"])).toMatchObject({
      queues: [{ queue: "constructor", finishedPerMinute: 0 }],
      workers: [{ finishedPerMinute: {} }],
    });
  });

  test("an unknown queue is an error with a suggestion and the place of the config", async () => {
    const project = await usualProject();
    const { code, stderr } = await project.q(["queues", "show", "emial"]);
    expect(code).toBe(4);
    expect(stderr).toContain('Did you mean "email"?');
    expect(stderr).toContain("q.config.ts:");
  });
});

describe("q dead", () => {
  test("shows arguments and queues of others without letting them steer the terminal", async () => {
    const project = await usualProject();
    const text = "\u009b2J\u202eabc\u007f";
    await project.q(["send", "fail", JSON.stringify({ text }), "--id", "dead-number-1"]);
    await project.q(["worker", "--burst", "--idle", "50ms"]);
    const args = ["dead", "show", "dead-number-1", "--args"];
    for (const more of [[], ["--json"]]) {
      const { stdout } = await project.q([...args, ...more]);
      expect(stdout).toContain("\\u009b2J\\u202eabc\\u007f");
      expect(stdout).not.toMatch(/[\u007f-\u009f\u202e]/);
    }
    expect(await project.json(args)).toMatchObject({ dead: [{ body: [[], { text }, expect.anything()] }] });
  });

  test("lists and shows without arguments and credentials, unless asked", async () => {
    const project = await projectWithDead();
    const list = await project.q(["dead"]);
    expect(list.stdout).toMatch(/dead-number-2 +fail +email/);
    const shown = await project.q(["dead", "show", "dead-number-1"]);
    expect(shown.stdout).toContain("TypeError: inner reason");
    expect(shown.stdout).toContain("tasks.ts:");
    const documents = await Promise.all([
      project.json(["dead", "show", "dead-number-1"]),
      project.json(["dead", "list"]),
    ]);
    expect(documents[0]).toMatchObject({
      dead: [{ error: { cause: { name: "TypeError", message: "inner reason" } } }],
    });
    expect(list.stdout + shown.stdout + JSON.stringify(documents)).not.toMatch(/hunter2|secret/);
    expect((await project.q(["dead", "show", "dead-number-1", "--args"])).stdout).toContain("secret");
    expect(await project.json(["dead", "list", "--task", "fail", "--limit", "1"])).toMatchObject({
      v: 1,
      dead: [{ task: "fail", queue: "email", reason: "failed" }],
    });
    expect(await project.json(["dead", "list", "--task", "hello"])).toEqual({ v: 1, dead: [] });
  });

  test("retry puts one back, to be run again", async () => {
    const project = await projectWithDead();
    expect((await project.q(["dead", "retry", "dead-number-1"])).stdout).toBe("Put back 1 dead task.\n");
    expect(await project.json(["queues", "-Q", "email"])).toMatchObject({ queues: [{ ready: 1, dead: 1 }] });
    const { stdout } = await project.q(["worker", "--burst", "--idle", "100ms"]);
    expect(stdout).toContain('"event":"task.dead","task":"fail","id":"dead-number-1"');
  });

  test("what touches many or cannot be undone asks, and refuses where nobody can be asked", async () => {
    const project = await projectWithDead();
    for (const args of [
      ["dead", "retry", "--all"],
      ["dead", "drop", "dead-number-1"],
      ["purge", "default"],
    ]) {
      const { code, stderr, stdout } = await project.q(args);
      expect({ args, code, stdout }).toEqual({ args, code: 6, stdout: "" });
      expect(stderr).toContain("--yes");
      expect((await project.q([...args, "--dry-run"])).stdout).toContain("Would");
    }
    expect(await project.json(["queues"])).toMatchObject({ queues: [{ ready: 1 }, { dead: 2 }] });
    expect((await project.q(["dead", "drop", "--all", "-y"])).stdout).toBe("Dropped 2 dead tasks.\n");
    expect((await project.q(["purge", "default", "-y"])).stdout).toBe("Deleted 1 task.\n");
    expect(await project.json(["queues"])).toMatchObject({ queues: [{ ready: 0 }, { dead: 0 }] });
  });

  test.each(["retry", "drop"])("%s refuses an id that several begin with, and changes nothing", async (verb) => {
    const project = await projectWithDead();
    const { code, stdout, stderr } = await project.q(["dead", verb, "dead-numb", "-y"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error Q2123 {2}"dead-numb" is the beginning of 2 ids of dead tasks/);
    expect(stderr).toMatch(/ids +dead-number-\d, dead-number-\d\n/);
    expect(stderr).toContain("--all --task <name>");
    expect(await project.json(["queues", "-Q", "email"])).toMatchObject({ queues: [{ ready: 0, dead: 2 }] });
  });

  test("an id that is not there is an error", async () => {
    const project = await projectWithDead();
    expect((await project.q(["dead", "show", "never-was-here"])).code).toBe(4);
    expect((await project.q(["dead", "retry"])).code).toBe(2);
  });
});
