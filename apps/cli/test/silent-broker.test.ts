import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { config, Project, tasks, type Running } from "./project.ts";

/** Starts a command whose broker takes connections and never answers. Resolves when it has connected. */
async function waitingFor(...args: string[]): Promise<Running> {
  const silent = createServer();
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => void silent.close());
  const project = await Project.create({ "q.config.ts": config, "src/tasks/tasks.ts": tasks });
  await project.install("broker-redis");
  // A server that listens on a port has an address of this kind.
  const { port } = silent.address() as AddressInfo;
  const command = project.start([...args, "-b", `redis://127.0.0.1:${port}`]);
  await once(silent, "connection");
  return command;
}

test.each([["worker"], ["cron"]])(
  "q %s that is told to stop before its broker has answered ends with 0",
  async (name) => {
    const command = await waitingFor(name);
    command.child.kill("SIGTERM");
    expect(await command.finished).toMatchObject({ code: 0, stderr: "" });
  },
);

test("q cron --once leaves at the first signal", async () => {
  const command = await waitingFor("cron", "--once");
  command.child.kill("SIGINT");
  await command.finished;
  expect(command.child.signalCode).toBe("SIGINT");
});
