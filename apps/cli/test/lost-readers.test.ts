import { expect, test } from "vitest";
import { config, Project, type Running } from "./project.ts";

const soon = { timeout: 20_000 };

const talk = `
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { app } from "../../q.config.js";

export const talk = app.instrumentedTask({ name: "talk" }, async () => {
  while (!existsSync("go-on")) {
    appendFileSync("turns", ".");
    console.log("still at it");
    await wait(10);
  }
});
`;

/** A worker in the middle of a task that prints, until nobody reads what it prints, and then for some turns more. */
async function unheardWorker(project: Project, ...args: string[]): Promise<Running> {
  await project.q(["send", "talk"]);
  const worker = project.start(["worker", ...args]);
  await expect.poll(() => worker.stderr, soon).toContain("still at it");
  worker.child.stdout?.destroy();
  worker.child.stderr?.destroy();
  const turns = async (): Promise<number> => (await project.read("turns")).length;
  const before = await turns();
  await expect.poll(turns, soon).toBeGreaterThan(before + 20);
  return worker;
}

test.each([
  ["a worker", []],
  ["a worker that logs for people", ["--log-format", "pretty"]],
  ["a worker of several processes", ["--processes", "1", "--log-format", "pretty"]],
] as const)("%s goes on with its tasks when nobody reads its log any more", async (_what, args) => {
  const project = await Project.create({ "q.config.ts": config, "src/tasks/talk.ts": talk });
  const worker = await unheardWorker(project, ...args);
  await project.write("go-on", "");
  worker.child.kill("SIGTERM");
  expect((await worker.finished).code).toBe(0);
  expect(await project.json(["queues", "-Q", "default"])).toMatchObject({ queues: [{ ready: 0, inFlight: 0 }] });
});
