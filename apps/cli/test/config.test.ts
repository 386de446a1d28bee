import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { config, Project, tasks, usualProject } from "./project.ts";

describe("finding the config", () => {
  test("looks upward from the folder it runs in", async () => {
    const project = await usualProject();
    await project.write("deep/down/here.txt", "");
    const { code, stdout } = await project.q(["check"], { folder: "deep/down" });
    expect(code).toBe(0);
    expect(stdout).toContain("4 tasks in 1 file, 2 queues");
  });

  test("--config and Q_CONFIG name a file or its folder", async () => {
    const project = await Project.create({ "app/q.config.ts": config, "app/src/tasks/tasks.ts": tasks });
    expect((await project.q(["check", "--config", "app"])).code).toBe(0);
    expect((await project.q(["check", "-A", "app/q.config.ts"])).code).toBe(0);
    expect((await project.q(["check"], { env: { Q_CONFIG: "app" } })).code).toBe(0);
    expect((await project.q(["check", "--config", "nowhere"])).stderr).toContain("Q2001");
  });

  test("an empty Q_CONFIG names none, and is not said to", async () => {
    const project = await usualProject();
    const env = { Q_CONFIG: "" };
    const { settings } = await project.json(["check", "--print-config"], { env, folder: "src" });
    expect(settings).toContainEqual({ name: "config", value: "../q.config.ts", from: "found upward" });
  });

  test("JavaScript loads too, with a default export", async () => {
    const project = await Project.create({
      "q.config.mjs": `import { createApp } from "@q/core"; export default createApp({ queues: ["one"], imports: ["./tasks.mjs"] });`,
      "tasks.mjs": `import app from "./q.config.mjs"; app.instrumentedTask({ name: "a" }, () => {});`,
    });
    expect((await project.q(["check"])).stdout).toContain("1 task in 1 file, 1 queue");
  });
});

describe("what TypeScript was compiled to", () => {
  test("is kept with the packages of a workspace, and not among temporary files, where others may lay out code", async () => {
    const project = await Project.create({ "app/q.config.ts": config, "app/src/tasks/tasks.ts": tasks });
    const TMPDIR = join(project.folder, "temporary");
    mkdirSync(TMPDIR);
    expect((await project.q(["check"], { folder: "app", env: { TMPDIR } })).code).toBe(0);
    expect(readdirSync(TMPDIR)).toEqual([]);
    expect(readdirSync(join(project.folder, "node_modules/.cache/jiti"))).toHaveLength(2);
  });

  test("is kept nowhere when there are none", async () => {
    const project = await usualProject();
    const TMPDIR = join(project.folder, "temporary");
    mkdirSync(TMPDIR);
    renameSync(join(project.folder, "node_modules"), join(project.folder, "packages"));
    await project.write("q.config.ts", config.replaceAll(/"(@q\/[a-z-]+)"/g, '"./packages/$1/dist/index.js"'));
    expect((await project.q(["check"], { env: { TMPDIR } })).code).toBe(0);
    expect(readdirSync(TMPDIR)).toEqual([]);
  });
});

describe("a SQLite file that is relative to another folder than the config's", () => {
  test("is told of with both places, or a task is sent to where no worker looks", async () => {
    const project = await usualProject();
    await project.write("deep/here.txt", "");
    const sent = await project.q(["send", "hello", '{"name":"Ada"}'], { folder: "deep" });
    expect(sent.code).toBe(0);
    expect(sent.stderr).toContain("sqlite:.q/q.db is relative to the working directory");
    expect(sent.stderr).toContain(join(project.folder, "deep/.q/q.db"));
    expect(sent.stderr).toContain(join(project.folder, ".q/q.db"));
    const { stdout } = await project.q(["worker", "--burst"], { folder: "deep" });
    expect(stdout).toContain("is relative to the working directory");
    const { stdout: cron } = await project.q(["cron", "--once"], { folder: "deep" });
    expect(cron).toContain("is relative to the working directory");
  });

  test("is told of with --config too where there is one beside it, and not of a config that was compiled into dist", async () => {
    const project = await Project.create({ "dist/q.config.ts": config, "dist/src/tasks/tasks.ts": tasks });
    expect((await project.q(["status", "-A", "dist"])).stderr).not.toContain("relative");
    await project.q(["status"], { folder: "dist" });
    expect((await project.q(["status", "-A", "dist"])).stderr).toContain("is relative to the working directory");
  });

  test("is not told of beside the config, and not when --broker names it on the spot", async () => {
    const project = await usualProject();
    await project.write("deep/here.txt", "");
    expect((await project.q(["status"])).stderr).not.toContain("relative");
    const named = await project.q(["status", "-b", "sqlite:here.db"], { folder: "deep" });
    expect(named).toMatchObject({ code: 0, stderr: expect.not.stringContaining("relative") });
  });
});

describe("a config that does not load", () => {
  test.each([
    ["a missing module", `// first line\nimport "./gone.js";\n`, "Cannot find module './gone.js'", "q.config.ts:2:"],
    [
      "an error while it runs",
      `\n\nconst x: { y?: { z: 1 } } = {};\nx.y!.z;\n`,
      "TypeError: Cannot read properties",
      "q.config.ts:4:",
    ],
    ["bad syntax", `const a = 1;\nconst b = ;\n`, "Unexpected token", "q.config.ts:2:"],
  ])("%s names file and line", async (_what, content, message, place) => {
    const project = await Project.create({ "q.config.ts": content });
    const { code, stderr } = await project.q(["check"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Q2002");
    expect(stderr).toContain(message);
    expect(stderr).toContain(place);
  });

  test("one that imports a task file, which imports it back, is told so", async () => {
    const project = await Project.create({
      "q.config.ts": `import { a } from "./tasks.js"; import { createApp } from "@q/core";
        export const app = createApp({ queues: ["one"] }); export const b = a;`,
      "tasks.ts": `import { app } from "./q.config.js"; export const a = app.instrumentedTask({ name: "a" }, () => {});`,
    });
    expect((await project.q(["check"])).stderr).toContain("do q.config.ts and tasks.ts import each other?");
  });

  test.each([
    ["ends the process", "process.exit(0);"],
    ["waits for what never comes", "await new Promise(() => {});"],
  ])("one that %s is an error and no success", async (_what, content) => {
    const project = await Project.create({ "q.config.ts": content });
    const { code, stdout, stderr } = await project.q(["check"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Q2115");
  });

  test.each(["q.config.ts", "src/tasks/tasks.ts"])(
    "%s that ends the process with a code of its own is told of",
    async (file) => {
      const project = await usualProject();
      await project.write(file, "\nprocess.exit(3);");
      const { code, stdout, stderr } = await project.q(["check"]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toContain("error Q2115  process.exit(3) was called before the command had done its work");
      expect(stderr).toContain(`${file}:2:`);
    },
  );

  test("one whose error nobody catches has called nothing", async () => {
    const project = await Project.create({
      "q.config.ts": "setTimeout(() => { throw new Error('late'); }); await new Promise(() => {});",
    });
    const { code, stdout, stderr } = await project.q(["check"]);
    expect({ code, stdout }).toEqual({ code: 70, stdout: "" });
    expect(stderr).toContain("Error: late");
    expect(stderr).not.toContain("Q2115");
  });

  test("no app in it", async () => {
    const project = await Project.create({ "q.config.ts": "export const nothing = 1;" });
    const { code, stderr } = await project.q(["check"]);
    expect(code).toBe(2);
    expect(stderr).toContain("export const app = createApp");
  });
});

test("what the config prints goes to stderr, so that stdout is the result alone", async () => {
  const project = await Project.create({ "q.config.ts": `console.log("config loaded");${config}` });
  const { stdout, stderr } = await project.q(["status", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ v: 1 });
  expect(stderr).toBe("config loaded\n");
});

describe("the broker from outside", () => {
  test("--broker beats Q_BROKER_URL, which beats the config; --print-config says who won", async () => {
    const project = await usualProject();
    const brokerOf = async (args: string[], env: Record<string, string>): Promise<unknown> => {
      const { settings } = await project.json(["check", "--print-config", ...args], { env });
      return (settings as { name: string }[]).find(({ name }) => name === "broker");
    };
    const env = { Q_BROKER_URL: "sqlite:env.db" };
    expect(await brokerOf(["-b", "sqlite:flag.db"], env)).toMatchObject({ value: "sqlite:flag.db", from: "--broker" });
    expect(await brokerOf([], env)).toMatchObject({ value: "sqlite:env.db", from: "Q_BROKER_URL" });
    expect(await brokerOf([], { REDIS_URL: "redis://x" })).toMatchObject({
      value: "sqlite:.q/q.db",
      from: "q.config.ts",
    });
  });

  test("an adapter that is not installed, or that nobody knows, is an error without the URL's password", async () => {
    const project = await usualProject();
    const redis = await project.q(["status", "-b", "redis://app:hunter2@cache:6379"]);
    expect(redis.code).toBe(2);
    expect(redis.stderr).toContain("npm i @q/broker-redis");
    const unknown = await project.q(["status"], { env: { Q_BROKER_URL: "reddis://app:hunter2@cache" } });
    expect(unknown.stderr).toContain('Did you mean "redis:"?');
    expect(redis.stderr + unknown.stderr).not.toContain("hunter2");
  });
});

describe("q check", () => {
  test("lists every problem, not only the first, and ends with 1", async () => {
    const project = await usualProject();
    await project.write(
      "src/tasks/twice.ts",
      `import { app } from "../../q.config.js"; app.instrumentedTask({ name: "hello" }, () => {});`,
    );
    await project.write("src/tasks/gone.ts", `import "./nowhere.js";`);
    await project.write(
      "src/tasks/queue.ts",
      `import { app } from "../../q.config.js"; app.instrumentedTask({ name: "x", queue: "emial" as never }, () => {});`,
    );
    const { code, stdout } = await project.q(["check"]);
    expect(code).toBe(1);
    expect(stdout).toContain("Q2004");
    expect(stdout).toContain("Q2002");
    expect(stdout).toContain("Q2003");
    expect(stdout).toContain("3 errors");
    expect(await project.json(["check"])).toMatchObject({ v: 1, findings: expect.any(Array) });
  });

  test("a pattern that matches nothing is an error", async () => {
    const project = await Project.create({ "q.config.ts": config });
    const { code, stdout } = await project.q(["check"]);
    expect(code).toBe(1);
    expect(stdout).toContain('nothing matches "./src/tasks/*.ts"');
  });

  test("connects to nothing", async () => {
    const project = await Project.create({
      "q.config.ts": `import { createApp } from "@q/core";
        const broker = { name: "away", address: "away:", connected: false, open: () => { throw new Error("opened"); }, publish: () => {}, consume: () => {} } as never;
        export const app = createApp({ broker, queues: ["one"] });`,
    });
    expect((await project.q(["check"])).code).toBe(0);
  });
});

describe("q init", () => {
  test("writes a project that passes its own check, and overwrites nothing", async () => {
    const project = await Project.create();
    const { code, stdout } = await project.q(["init"]);
    expect(code).toBe(0);
    expect(stdout).toContain("wrote q.config.ts");
    expect((await project.q(["check"])).stdout).toContain("1 task in 1 file, 1 queue");
    const again = await project.q(["init"]);
    expect(again.code).toBe(6);
    expect(again.stderr).toContain("q.config.ts");
  });

  test("a folder in which it cannot write is an error of the folder, not of q", async () => {
    const project = await Project.create({ src: "a file where a folder should be" });
    const { code, stderr } = await project.q(["init"]);
    expect(code).toBe(2);
    expect(stderr).toContain("src/tasks/hello.ts could not be written");
  });

  test("--dry-run shows the files and writes none", async () => {
    const project = await Project.create();
    expect((await project.q(["init", "--dry-run"])).stdout).toContain("createApp");
    expect((await project.q(["check"])).stderr).toContain("Q2001");
  });
});

test.each([
  ["a timer", 'setTimeout(() => { throw new Error("no redis://app:hunter2@cache"); });'],
  ["a promise", 'void Promise.reject(new Error("no redis://app:hunter2@cache"));'],
])(
  "an error that nobody caught, of %s in the config, is told without credentials and ends a command with 70",
  async (_of, code) => {
    const project = await Project.create({ "q.config.ts": `${config}\n${code}`, "src/tasks/tasks.ts": tasks });
    // Loading takes long enough for it to come.
    await project.write("src/tasks/wait.ts", "await new Promise((resolve) => setTimeout(resolve, 60_000));");
    for (const args of [["worker"], ["send", "hello", "-v"], ["check", "--json"]]) {
      const ended = await project.q(args);
      expect(ended).toMatchObject({ code: 70, stdout: "" });
      expect(ended.stderr).toContain("an error that nobody caught: Error: no redis://app:***@cache");
      expect(ended.stderr).toContain("Q2125");
      expect(ended.stderr).not.toContain("hunter2");
    }
  },
);
