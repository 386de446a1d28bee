import { describe, expect, test } from "vitest";
import { config, Project, tasks } from "./project.ts";

const schedules = `{
  second: { task: "hello", every: "1s", args: { name: "Ada" }, missed: "all" },
  nightly: { task: "hello", cron: "30 2 * * *", timezone: "Europe/Vienna", args: { name: "Bob" } },
}`;

/** The usual project, with schedules. */
function project(schedule = schedules): Promise<Project> {
  return Project.create({
    "q.config.ts": config.replace("imports:", `schedule: ${schedule},\n  imports:`),
    "src/tasks/tasks.ts": tasks,
  });
}

/** Ready messages of the default queue. */
async function waiting(of: Project): Promise<readonly string[]> {
  const { messages } = await of.json(["queues", "show", "default", "--limit", "1000"]);
  return (messages as { readonly id: string }[]).map(({ id }) => id);
}

describe("q cron", () => {
  test("of two processes one sends each tick; when one is killed the other goes on, and both end with 0", async () => {
    const shop = await project();
    const [one, other] = [shop.start(["cron"]), shop.start(["run", "cron"])];
    const sent = (): readonly unknown[] =>
      [one, other].flatMap(({ lines }) => lines.filter(({ event }) => event === "schedule.fired")).map(({ at }) => at);
    await expect.poll(() => sent().length, { timeout: 20_000 }).toBeGreaterThan(2);
    one.child.kill("SIGKILL");
    const before = sent().length;
    await expect.poll(() => sent().length, { timeout: 10_000 }).toBeGreaterThan(before + 1);
    other.child.kill("SIGTERM");
    expect((await other.finished).code).toBe(0);
    const ids = await waiting(shop);
    const times = ids.map((id) => Date.parse(id.replace("cron:second:", "")));
    // Each second once, none left out.
    expect(times).toEqual(times.map((_, index) => (times[0] ?? 0) + 1000 * index));
    expect(times.length).toBeGreaterThanOrEqual(sent().length);
  });

  test("--once sends what is due and ends; --dry-run sends nothing", async () => {
    const shop = await project();
    expect((await shop.q(["cron", "--once"])).code).toBe(0);
    // Mostly nothing. A process that takes a second from its look at the schedules to their ticks has one to send.
    const before = await waiting(shop);
    await expect
      .poll(async () => (await shop.q(["cron", "--once", "--dry-run"])).stdout, { timeout: 10_000 })
      .toContain('"event":"schedule.due"');
    expect(await waiting(shop)).toEqual(before);
    await shop.q(["cron", "--once"]);
    expect((await waiting(shop)).length).toBeGreaterThan(before.length);
  });

  test("a worker with --cron sends and runs", async () => {
    const shop = await project();
    const worker = shop.start(["worker", "--cron"]);
    const ran = (): boolean =>
      worker.lines.some(({ event, id }) => event === "task.succeeded" && String(id).startsWith("cron:second:"));
    await expect.poll(ran, { timeout: 20_000 }).toBe(true);
    worker.child.kill("SIGTERM");
    expect((await worker.finished).code).toBe(0);
    expect(worker.said({ event: "scheduler.stopped" })).toBe(true);
  });

  test("mistakes in schedules keep it from starting, and q check finds all of them", async () => {
    const shop = await project(`{
      hour: { task: "hello", cron: "0 25 * * *", args: { name: "x" } },
      name: { task: "helo", cron: "@daily" },
      date: { task: "hello", cron: "0 0 30 2 *" },
    }`);
    const started = await shop.q(["cron", "--json"]);
    expect([started.code, JSON.parse(started.stderr)]).toMatchObject([2, { error: { code: "Q2006" } }]);
    const { findings } = await shop.json(["check"]);
    const errors = (findings as { severity: string; code: string }[]).filter(({ severity }) => severity === "error");
    expect(errors.map(({ code }) => code)).toEqual(["Q2006", "Q2029", "Q2006"]);
  });

  test("answers probes while it runs", async () => {
    const shop = await project();
    const cron = shop.start(["cron", "--health-port", "0", "--log-format", "pretty", "--pid-file", "cron.pid"]);
    await expect.poll(() => cron.stderr, { timeout: 20_000 }).toContain("cron ready");
    expect(Number(await shop.read("cron.pid"))).toBe(cron.child.pid);
    cron.child.kill("SIGINT");
    expect((await cron.finished).code).toBe(0);
  });
});

describe("q schedule", () => {
  test("lists what there is, pauses and resumes it", async () => {
    const shop = await project();
    await shop.q(["cron", "--once"]);
    expect(await shop.json(["schedule"])).toMatchObject({
      v: 1,
      schedules: [
        { name: "nightly", origin: "app", cron: "30 2 * * *", timezone: "Europe/Vienna", paused: false, problem: null },
        { name: "second", everyMs: 1000, task: "hello", missed: "all", lastTick: expect.any(String) },
      ],
    });
    expect((await shop.q(["schedule", "pause", "second"])).stdout).toContain("q schedule resume second");
    expect((await shop.q(["schedule", "list"])).stdout).toMatch(/^second +every 1 s +hello .* paused$/m);
    const before = await waiting(shop);
    await shop.q(["cron", "--once"]);
    await shop.q(["schedule", "resume", "second"]);
    expect(await waiting(shop)).toEqual(before);
    await shop.q(["cron", "--once"]);
    expect((await waiting(shop)).length).toBeGreaterThan(before.length);
  });

  test("one that is not there ends with 4, and a change where only looking is allowed with 6", async () => {
    const shop = await project();
    for (const verb of ["explain", "pause"]) {
      const { code, stderr } = await shop.q(["schedule", verb, "nigthly"]);
      expect([verb, code]).toEqual([verb, 4]);
      expect(stderr).toContain('Did you mean "nightly"?');
    }
    expect((await shop.q(["schedule", "pause", "nightly"], { env: { Q_READ_ONLY: "1" } })).code).toBe(6);
  });

  test("lists as an orphan what was made at run time and whose task is gone", async () => {
    const shop = await project("{}");
    await shop.write(
      "put.mjs",
      `import { createApp } from "@q/core"; import { sqlite } from "@q/broker-sqlite";
       const app = createApp({ broker: sqlite("sqlite:.q/q.db"), queues: ["default"] });
       app.instrumentedTask({ name: "old" }, async () => {});
       await app.schedules.put("left", { task: "old", cron: "@daily" });
       await app.close();`,
    );
    await shop.node("put.mjs");
    expect((await shop.q(["schedule"])).stdout).toMatch(/^left +@daily UTC +old .* orphan: its task is gone$/m);
  });

  test("trigger sends the task now and prints its id", async () => {
    const shop = await project();
    const { stdout } = await shop.q(["schedule", "trigger", "nightly"]);
    expect(await waiting(shop)).toEqual([stdout.trim()]);
    expect((await shop.q(["schedule", "explain", "nightly"])).stdout).toContain(
      "sends hello · missed: one · overlap: allow",
    );
  });

  test("next tells the times in the zone, in UTC and from now", async () => {
    const shop = await project();
    const { stdout } = await shop.q(["schedule", "next", "nightly", "--count", "2"]);
    expect(stdout).toMatch(
      /^nightly +\w{3} \d{4}-\d\d-\d\d 02:30:00 Europe\/Vienna +\d{4}-\d\d-\d\d 0[01]:30:00 UTC +in /m,
    );
    const { ticks } = await shop.json(["schedule", "next", "-n", "3"]);
    expect((ticks as { name: string }[]).map(({ name }) => name)).toEqual(["second", "second", "second"]);
  });

  test("explain says an expression in words, when it comes next, and which days the clocks touch, without a project", async () => {
    const nowhere = await Project.create();
    const args = ["schedule", "explain", "30 2 * * *", "--tz", "Europe/Vienna"];
    const { code, stdout } = await nowhere.q(args);
    expect(code).toBe(0);
    expect(stdout).toContain("At 02:30, every day, Europe/Vienna");
    expect(stdout.match(/ 02:30:00 Europe\/Vienna .* UTC +in /g)?.length).toBeGreaterThan(3);
    expect(stdout).toMatch(/^\d{4}-03-\d\d {2}clocks go forward: nothing at 02:30:00, instead at 03:00:00$/m);
    const half = await nowhere.json(["schedule", "explain", "*/30 * * * *", "--tz", "America/New_York"]);
    expect(half).toMatchObject({ v: 1, cron: "*/30 * * * *", timezone: "America/New_York" });
    const byDirection = (half["clockChanges"] as { direction: string }[]).toSorted((a, b) =>
      a.direction < b.direction ? -1 : 1,
    );
    expect(byDirection).toMatchObject([
      { direction: "back", without: [], instead: ["01:00:00", "01:30:00"] },
      { direction: "forward", without: ["02:00:00", "02:30:00"], instead: [] },
    ]);
  });
});
