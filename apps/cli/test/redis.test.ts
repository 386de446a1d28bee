import { aclOfPage, RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, expect, test } from "vitest";
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
