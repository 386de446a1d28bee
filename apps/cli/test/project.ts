import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sqlite } from "@q/broker-sqlite";
import { createApp } from "@q/core";
import { onTestFinished } from "vitest";

/** The command, built. */
export const program: string = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const packages = fileURLToPath(new URL("../../../packages", import.meta.url));

/** How a command ended. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Arguments of Node's own. Behind `--` it looks at none that are ours. */
  readonly node?: readonly string[];
  /** Folder below the project to run in. */
  readonly folder?: string;
}

/** A command that is running. */
export class Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  stdout = "";
  stderr = "";

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.finished = new Promise((resolve) => {
      child.on("close", (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await this.finished;
    });
  }

  /** The JSON log lines so far. */
  get lines(): readonly Record<string, unknown>[] {
    return this.stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Whether a log line with these facts has been written. */
  said(facts: Readonly<Record<string, unknown>>): boolean {
    return this.lines.some((line) => Object.entries(facts).every(([name, value]) => line[name] === value));
  }
}

/** A temporary project on SQLite, with this repository's packages as its dependencies. Removed when the test ends. */
export class Project {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(files: Readonly<Record<string, string>> = {}): Promise<Project> {
    const folder = await mkdtemp(join(tmpdir(), "q-cli-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    await mkdir(join(folder, "node_modules/@q"), { recursive: true });
    const project = new Project(folder);
    for (const name of ["core", "broker-sqlite", "broker-amqp"]) await project.install(name);
    for (const [path, content] of Object.entries(files)) await project.write(path, content);
    return project;
  }

  /** Puts one more of this repository's packages among its dependencies. */
  async install(name: string): Promise<void> {
    await symlink(join(packages, name), join(this.folder, "node_modules/@q", name));
  }

  async write(path: string, content: string): Promise<void> {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }

  read(path: string): Promise<string> {
    return readFile(join(this.folder, path), "utf8");
  }

  start(args: readonly string[], options: RunOptions = {}): Running {
    return this.#run([...(options.node ?? []), program, ...args], options);
  }

  /** Runs a file of the project's own. @throws when it fails */
  async node(file: string): Promise<void> {
    const { code, stderr } = await this.#run([file], {}).finished;
    if (code !== 0) throw new Error(`${file} ended with ${code}: ${stderr}`);
  }

  #run(args: readonly string[], options: RunOptions): Running {
    const { PATH = "", HOME = "" } = process.env;
    const child = spawn(process.execPath, args, {
      cwd: join(this.folder, options.folder ?? ""),
      env: { PATH, HOME, TMPDIR: this.folder, ...options.env },
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    child.stdin?.end(options.input);
    return new Running(child);
  }

  q(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.start(args, options).finished;
  }

  /** Sends `hello` so many times, from this process: a command for each would take longer than what is to be tested. */
  async sendHellos(count: number): Promise<void> {
    const app = createApp({ broker: sqlite({ path: join(this.folder, ".q/q.db") }), queues: ["default", "email"] });
    const hellos = Array.from({ length: count }, (_, n) => ({ task: "hello", args: { name: `n${n}` }, options: {} }));
    await app.sendMany(hellos);
    await app.close();
  }

  /** Runs a command with `--json` and reads its document. */
  async json(args: readonly string[], options: RunOptions = {}): Promise<Record<string, unknown>> {
    const { stdout, stderr, code } = await this.q([...args, "--json"], options);
    if (stdout === "") throw new Error(`q ${args.join(" ")} ended with ${code} and printed nothing. ${stderr}`);
    return JSON.parse(stdout) as Record<string, unknown>;
  }
}

export const config = `
import { createApp } from "@q/core";
import { sqlite } from "@q/broker-sqlite";

export const app = createApp({
  broker: sqlite("sqlite:.q/q.db"),
  queues: ["default", "email"],
  imports: ["./src/tasks/*.ts"],
});
`;

/** Tasks that do, fail, and wait for a signal file. */
export const tasks = `
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { app } from "../../q.config.js";

enum Mood { Fine = "fine" }

export const hello = app.instrumentedTask({ name: "hello" }, async ({ name }: { name: string }, ctx) => {
  ctx.logger.info({}, \`hello \${name}, \${Mood.Fine}\`);
});

export const fail = app.instrumentedTask({ name: "fail", queue: "email" }, async () => {
  throw new Error("no way to redis://app:hunter2@cache", { cause: new TypeError("inner reason") });
});

export const slow = app.instrumentedTask({ name: "slow" }, async () => {
  while (!existsSync("go-on")) await wait(10);
});

export const crash = app.instrumentedTask({ name: "crash" }, async () => {
  setTimeout(() => { throw new Error("thrown out of a timer"); });
  while (!existsSync("go-on")) await wait(10);
});
`;

export function usualProject(): Promise<Project> {
  return Project.create({ "q.config.ts": config, "src/tasks/tasks.ts": tasks });
}
