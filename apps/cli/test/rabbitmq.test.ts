import { RabbitServer } from "@q/test-servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { config, Project, tasks } from "./project.ts";

let server: RabbitServer;

beforeAll(async () => {
  server = await RabbitServer.start();
}, 180_000);

afterAll(() => server.stop());

test("the commands of an operator work on RabbitMQ, and say what it does not tell", async () => {
  const project = await Project.create({
    "q.config.ts": config
      .replace("@q/broker-sqlite", "@q/broker-amqp")
      .replaceAll("sqlite", "amqp")
      .replace('"amqp:.q/q.db"', "process.env.BROKER"),
    "src/tasks/tasks.ts": tasks,
  });
  const env = { BROKER: server.url };
  const q = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await project.q(args, { env });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return stdout + stderr;
  };
  await q("send", "hello", '{"name":"Ada"}');
  await q("send", "fail", "{}", "--id", "dead-1");
  expect(await q("status")).toMatch(
    /^default +1 +\? +\? +\? .*\n(.*\n)*\? RabbitMQ tells its clients what is ready, .*rabbitmqctl/m,
  );
  expect(await q("queues", "show", "default")).toContain("cannot show waiting messages");
  await q("queues", "pause", "email");
  const worker = project.start(["worker", "-n", "w1"], { env });
  await expect.poll(() => worker.said({ event: "task.succeeded" }), { timeout: 20_000 }).toBe(true);
  expect(worker.said({ event: "task.dead" })).toBe(false);
  await q("queues", "resume", "email");
  await expect.poll(() => worker.said({ event: "task.dead", id: "dead-1" }), { timeout: 20_000 }).toBe(true);
  expect(JSON.parse(await q("status", "--json"))).toMatchObject({
    queues: [
      { queue: "default", ready: 0, delayed: null, inFlight: null, oldestReadyMs: null, dead: 0, consumers: 1 },
      { queue: "email", dead: 1 },
    ],
    workers: [{ worker: "w1" }],
  });
  worker.child.kill("SIGTERM");
  expect((await worker.finished).code).toBe(0);
  expect(await q("dead", "list")).toMatch(/^dead-1 +fail +email /m);
  await q("dead", "retry", "dead-1");
  expect(await q("queues", "purge", "email", "--yes")).toContain("Deleted 1 task");
}, 60_000);
