import { describe, expect, test } from "vitest";
import { usualProject } from "./project.ts";

describe("q send", () => {
  test("prints the id alone on stdout, and a worker runs it", async () => {
    const project = await usualProject();
    const sent = await project.q(["send", "hello", '{"name":"Ada"}']);
    expect(sent.code).toBe(0);
    expect(sent.stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    expect(sent.stderr).toContain("sent hello to default");
    const worker = await project.q(["worker", "--burst", "--idle", "100ms"]);
    expect(worker.code).toBe(0);
    expect(worker.stdout).toContain("hello Ada, fine");
    expect(worker.stdout).toContain(`"event":"task.succeeded","task":"hello","id":"${sent.stdout.trim()}"`);
  });

  test("takes arguments from stdin, an id, and a delay", async () => {
    const project = await usualProject();
    const args = ["send", "hello", "-", "--id", "mine-1", "--countdown", "1h", "--header", "tenant=acme", "-q"];
    const { code, stdout, stderr } = await project.q(args, { input: '{"name":"Ada"}' });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "mine-1\n", stderr: "" });
    expect(await project.json(["queues", "show", "default"])).toMatchObject({
      queue: { ready: 0, delayed: 1 },
      messages: [{ id: "mine-1", task: "hello", state: "later" }],
    });
  });

  test("--dry-run checks everything and stores nothing", async () => {
    const project = await usualProject();
    const { code, stdout } = await project.q(["send", "hello", '{"name":"Ada"}', "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Would send hello to default");
    expect((await project.q(["send", "hello", "{}", "--queue", "nowhere", "--dry-run"])).code).toBe(4);
    expect(await project.json(["queues", "show", "default"])).toMatchObject({ queue: { ready: 0 } });
  });

  test("--key sends once: the next one stores nothing, prints no id, and is no failure", async () => {
    const project = await usualProject();
    const send = ["send", "hello", '{"name":"Ada"}', "--key", "ada", "--key-ttl", "1h"];
    expect((await project.q(send)).stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    expect(await project.q(send)).toEqual({
      code: 0,
      stdout: "",
      stderr: "not sent: the key was used before for a task in default\n",
    });
    expect(await project.json(send)).toMatchObject({ v: 1, task: "hello", queue: "default", duplicate: true });
    expect(await project.json([...send, "--queue", "email"])).toMatchObject({ queue: "email", duplicate: false });
    expect((await project.q([...send, "--key", "eve", "--dry-run"])).stdout).toContain("Would send hello to default");
    expect(await project.json(["queues"])).toMatchObject({ queues: [{ ready: 1 }, { ready: 1 }] });
    expect((await project.q(["send", "hello", "{}", "--key", ""])).code).toBe(2);
    expect((await project.q(["send", "hello", "{}", "--key-ttl", "1h"])).stderr).toContain("Q2017");
  });

  test("refuses what the task's schema refuses, before sending", async () => {
    const project = await usualProject();
    await project.write(
      "src/tasks/strict.ts",
      `import { app } from "../../q.config.js";
      const args = { "~standard": { version: 1 as const, vendor: "test", validate: (value: any) =>
        typeof value.n === "number" ? { value } : { issues: [{ message: "expected number", path: ["n"] }] } } };
      export const strict = app.instrumentedTask({ name: "strict", args }, () => {});`,
    );
    const { code, stdout, stderr } = await project.q(["send", "strict", '{"n":"secret text"}']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Q3001");
    expect(stderr).not.toContain("secret text");
    expect((await project.q(["send", "strict", '{"n":1}'])).code).toBe(0);
    expect((await project.q(["check"])).stdout).toContain('strict requires "n"');
  });

  test("--expires without a unit is no year: the task would be dropped unrun", async () => {
    const project = await usualProject();
    const { code, stdout, stderr } = await project.q(["send", "hello", "{}", "--expires", "60"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain('--expires is "60": expected a length such as 60s');
  });

  test("a name that nobody knows needs a queue", async () => {
    const project = await usualProject();
    const refused = await project.q(["send", "helo"]);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('Did you mean "hello"?');
    const sent = await project.q(["send", "other.service", "[7]", "--queue", "email"]);
    expect(sent.code).toBe(0);
    expect(sent.stderr).toContain("does not know other.service");
  });
});
