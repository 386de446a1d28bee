import { aclOfPage, RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project } from "./project.ts";

const page = new URL("../../../packages/broker-redis/ACL.md", import.meta.url);
let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start({ acl: ["user default off"] });
  await server.command("ACL", ...aclOfPage(page, "q-producer"));
});

afterAll(() => server.stop());

const envOf = (user: string) => ({ Q_BROKER_URL: `redis://${user}:secret@127.0.0.1:${server.port}` });

/** With a task in the queue that the users of the page have the rights to. */
async function projectWithMail(): Promise<Project> {
  const project = await Project.create({
    "q.config.mjs": `import { createApp } from "@q/core";
      export const app = createApp({ queues: ["emails"] });
      app.instrumentedTask({ name: "mail" }, () => {});`,
  });
  await project.install("broker-redis");
  expect(await project.q(["send", "mail"], { env: envOf("q-producer") })).toMatchObject({ code: 0 });
  return project;
}

const burst = ["worker", "--burst", "--idle", "50ms", "-l", "debug", "--log-format"];

test.each(["json", "pretty"])(
  "a worker needs no more rights than ACL.md gives it, also with a log in %s",
  async (format) => {
    const project = await projectWithMail();
    await server.command("ACL", ...aclOfPage(page, "q-worker"));
    await server.command("ACL", "LOG", "RESET");
    const { code, stdout, stderr } = await project.q([...burst, format], { env: envOf("q-worker") });
    expect({ code, said: stdout + stderr }).toEqual({
      code: 0,
      said: expect.stringMatching(/ok +mail|"task\.succeeded"/),
    });
    expect(await server.command("ACL", "LOG")).toEqual([]);
  },
);

test.each(["json", "pretty"])(
  "a worker that may not look at its queue runs tasks all the same, log in %s",
  async (format) => {
    const project = await projectWithMail();
    await server.command("ACL", ...aclOfPage(page, "q-worker"), "-zcount");
    const { code, stdout, stderr } = await project.q([...burst, format], { env: envOf("q-worker") });
    expect({ code, said: stdout + stderr }).toEqual({
      code: 0,
      said: expect.stringMatching(/ok +mail|"task\.succeeded"/),
    });
    expect(stdout + stderr).toContain("could not look at queue emails");
  },
);

describe("a number that is no time, as another program may write it, keeps nothing beside it from being shown", () => {
  const never = "1e300";

  async function operatorOf(project: Project) {
    await server.command("ACL", ...aclOfPage(page, "q-operator"));
    const env = envOf("q-operator");
    return {
      json: (...args: string[]) => project.json(args, { env }),
      text: async (...args: string[]) => (await project.q(args, { env })).stdout,
    };
  }

  test("in a queue", async () => {
    const operator = await operatorOf(await projectWithMail());
    const properties = {
      correlation_id: "odd",
      delivery_info: { exchange: "", routing_key: "emails" },
      delivery_tag: "1",
    };
    const headers = { lang: "py", task: "mail", id: "odd", q_sent_at: Number(never) };
    const envelope = { body: "[[], {}, {}]", "content-type": "application/json", headers, properties };
    await server.command("LPUSH", "emails", JSON.stringify(envelope));
    expect(await operator.json("queues", "show", "emails")).toMatchObject({
      messages: [
        { task: "mail", dueAt: expect.stringMatching(/Z$/) },
        { id: "odd", dueAt: null },
      ],
    });
    expect(await operator.text("queues", "show", "emails")).toMatch(/^odd +mail +waiting +\?$/m);
  });

  test("among dead letters", async () => {
    const project = await projectWithMail();
    await server.command("LPUSH", "emails", "junk", "more junk");
    await server.command("ACL", ...aclOfPage(page, "q-worker"));
    await project.q([...burst, "json"], { env: envOf("q-worker") });
    const index = "q:{emails}:dead-index";
    const [entry = ""] = (await server.command("ZRANGE", index, 0, 0)) as string[];
    await server.command("ZADD", index, "XX", never, entry);
    const operator = await operatorOf(project);
    const { dead } = await operator.json("dead", "list");
    expect(dead).toMatchObject([{ diedAt: null }, { diedAt: expect.stringMatching(/Z$/) }]);
    const id = String(Number(entry));
    expect(await operator.json("dead", "show", id)).toMatchObject({ dead: [{ entryId: id, diedAt: null }] });
    expect(await operator.text("dead", "show", id)).toMatch(/^ {2}died +\?$/m);
    expect(await operator.text("dead", "list")).toMatch(/ emails +\? +malformed /);
  });

  test("as the last tick of a schedule", async () => {
    const operator = await operatorOf(await projectWithMail());
    await server.command("HSET", "q:{emails}:ticks", "odd", Number.MAX_SAFE_INTEGER, "usual", 0);
    expect(await operator.json("schedule", "list")).toMatchObject({
      schedules: [
        { name: "odd", lastTick: null },
        { name: "usual", lastTick: "1970-01-01T00:00:00.000Z" },
      ],
    });
    expect(await operator.text("schedule", "list")).toMatch(/^odd +\? +not in this app$/m);
  });
});
