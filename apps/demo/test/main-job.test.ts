import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";

const run = promisify(execFile);
const demo = resolve(import.meta.dirname, "..");
const root = resolve(demo, "../..");
const bin = join(root, "node_modules/.bin");

let folder: string;

beforeAll(async () => {
  // The processes of the main job run what is built. Turbo runs pnpm, which is there, too.
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`, TURBO_TELEMETRY_DISABLED: "1" };
  await run(join(bin, "turbo"), ["run", "build", "--filter=@q/demo^...", "--ui=stream", "--output-logs=errors-only"], {
    cwd: root,
    env,
  });
}, 120_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "q-demo-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

function start(...args: readonly string[]): Run {
  const child = spawn(process.execPath, [join(demo, "main-job.mjs"), ...args], {
    env: { ...process.env, DEMO_FOLDER: folder },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return { process: child, output: () => output, exit: new Promise((done) => child.on("close", done)) };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited 20 s for ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Shows all of the output when the code is another one. */
async function expectEnd({ exit, output }: Run, code: number): Promise<void> {
  const ended = await exit;
  expect(`exit code ${ended}${ended === code ? "" : `\n${output()}`}`).toBe(`exit code ${code}`);
}

/** Whether a process with this id is there. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function workerPids(output: string): readonly number[] {
  return [...output.matchAll(/w\d \(pid (\d+)\)/g)].map(([, pid]) => Number(pid));
}

function cronPids(output: string): readonly number[] {
  return [...output.matchAll(/c\d \(pid (\d+)\)/g)].map(([, pid]) => Number(pid));
}

/** The number in the column "found". */
function found(output: string, what: string): string | undefined {
  return output
    .split("\n")
    .find((line) => line.trim().startsWith(what))
    ?.match(/([\d,]+) {2}(?:ok|WRONG)/)?.[1];
}

test("the main job ends with numbers that add up, though a worker was killed and the database was away", async () => {
  const job = start("--events", "300");
  await expectEnd(job, 0);
  const output = job.output();
  expect(found(output, "accepted")).toBe("294");
  expect(found(output, "refused")).toBe("6");
  expect(found(output, "saved")).toBe("267");
  expect(found(output, "counted exactly once")).toBe("267");
  expect(found(output, "ignored")).toBe("12");
  expect(found(output, "dead-lettered")).toBe("6");
  expect(found(output, "left in the queue")).toBe("0");
  expect(Number(found(output, "retried"))).toBeGreaterThan(0);
  expect(Number(found(output, "came back"))).toBeGreaterThan(0);
  expect(Number(found(output, "ticks of the schedule"))).toBeGreaterThan(1);
  expect(found(output, "old events")).toBe("50");
  expect(output).toContain("c1 was killed (SIGKILL)");
  expect(output).toContain("was killed (SIGKILL) while it held");
  expect([...workerPids(output), ...cronPids(output)].filter(lives)).toEqual([]);
});

test("the commands that it recommends work", async () => {
  const job = start("--events", "200");
  await expectEnd(job, 0);
  const q = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run(join(demo, "node_modules/.bin/q"), args, {
      cwd: demo,
      env: { ...process.env, DEMO_FOLDER: folder },
    });
    return stdout;
  };
  expect(await q("status")).toContain("important_queue");
  expect(await q("dead", "list")).toContain("events.save_event");
});

test("Ctrl-C midway stops every process and says so", async () => {
  const job = start("--events", "20000");
  await until(() => workerPids(job.output()).length === 2, "the workers");
  job.process.kill("SIGINT");
  await expectEnd(job, 130);
  expect(job.output()).toContain("stopped by SIGINT");
  expect(workerPids(job.output()).filter(lives)).toEqual([]);
});

test("when the main job itself is killed, its processes end", async () => {
  const job = start("--events", "20000");
  await until(() => workerPids(job.output()).length === 2, "the workers");
  job.process.kill("SIGKILL");
  await job.exit;
  await until(() => !workerPids(job.output()).some(lives), "the end of the workers");
  expect(workerPids(job.output()).filter(lives)).toEqual([]);
});

test("with --keep it goes on until Ctrl-C, and only one can run in a folder", async () => {
  const job = start("--events", "200", "--keep");
  await until(() => job.output().includes("Ctrl-C ends them"), "the hints");
  const url = /curl (\S+)/.exec(job.output())?.[1] ?? "";
  expect(await (await fetch(url)).json()).toMatchObject({
    groups: expect.arrayContaining([expect.objectContaining({ project: "shop" })]),
  });
  const second = start("--events", "200");
  await expectEnd(second, 1);
  expect(second.output()).toContain("another main job is running");
  job.process.kill("SIGINT");
  await expectEnd(job, 0);
  expect(workerPids(job.output()).filter(lives)).toEqual([]);
});

test("a wrong flag is refused before anything starts", async () => {
  const job = start("--events", "lots");
  await expectEnd(job, 2);
  expect(job.output()).toContain('--events is "lots"');
});
