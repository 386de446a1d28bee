import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { silentLogger } from "@q/core/broker";
import type { RedisServer } from "@q/test-servers";
import { expect, onTestFinished, test } from "vitest";
import { readOptions } from "../src/options.ts";
import { RedisBroker } from "../src/redis-broker.ts";
import { ThreadKeeper } from "../src/thread-keeper.ts";
import { blockUntil } from "./blocked-loop.ts";
import { startServer } from "./connecting.ts";
import { endOfLease } from "./end-of-lease.ts";
import { message } from "./messages.ts";
import { RecordingLogger } from "./recording-logger.ts";

const fixture = fileURLToPath(new URL("fixtures/blocked-by-each.mjs", import.meta.url));
const computing = fileURLToPath(new URL("fixtures/computing.mjs", import.meta.url));
const computingAfterwards = fileURLToPath(new URL("fixtures/computing-afterwards.mjs", import.meta.url));
const threadFile = new URL("../dist/lease-thread.js", import.meta.url);
const declared = [{ name: "default", priorities: false }];
/** Where nobody listens. */
const nowhere = readOptions({ url: "redis://127.0.0.1:1", timeout: "1s", lease: "1s" });

function startThread(settings = nowhere, logger = new RecordingLogger()): ThreadKeeper {
  const keeper = new ThreadKeeper(settings, logger, threadFile);
  onTestFinished(() => keeper.close());
  return keeper;
}

/** The connections that have just run a script. While the main thread of a worker is blocked, they are not its own. */
async function busyConnections(server: RedisServer): Promise<readonly string[]> {
  const lines = String(await server.command("CLIENT", "LIST")).split("\n");
  return lines.filter((line) => / idle=0 .* cmd=evalsha /.test(line)).map((line) => line.split(" ", 1)[0] ?? "");
}

async function send(server: RedisServer): Promise<void> {
  const sender = new RedisBroker(readOptions({ url: server.url }));
  await sender.open({ logger: silentLogger });
  await sender.declare(declared);
  await sender.publish([message("a")]);
  await sender.close();
}

const slowly = { timeout: 20_000 };

test("a handler that blocks the event loop, from the first task on, keeps its lease, by a connection that is there only meanwhile", async () => {
  const server = await startServer();
  await send(server);
  const worker = spawn(process.execPath, [fixture, server.url], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(worker, "exit");
  onTestFinished(async () => {
    worker.kill("SIGKILL");
    await exited;
  });
  let said = "";
  worker.stdout.on("data", (text: Buffer) => (said += String(text)));
  const says = (expected: string) => expect.poll(() => said, slowly).toBe(expected);
  for (const before of ["", "blocked\nsettled\n"]) {
    if (before !== "") await send(server);
    await says(`${before}blocked\n`);
    const first = await endOfLease(server);
    // Twice as long as one that nobody renews would last.
    await expect.poll(() => endOfLease(server), slowly).toBeGreaterThan(first + 2000);
    const [standIn = "none", ...others] = await busyConnections(server);
    expect(others).toEqual([]);
    worker.stdin.write("go on\n");
    await says(`${before}blocked\nsettled\n`);
    await expect.poll(() => server.command("CLIENT", "LIST"), slowly).not.toContain(`${standIn} `);
  }
}, 60_000);

/** A process, and what it says. */
function startWorker(...args: readonly string[]) {
  const worker = spawn(process.execPath, args);
  const exited = once(worker, "exit");
  onTestFinished(async () => {
    worker.kill("SIGKILL");
    await exited;
  });
  const said = { out: "", err: "" };
  worker.stdout.on("data", (text: Buffer) => (said.out += String(text)));
  worker.stderr.on("data", (text: Buffer) => (said.err += String(text)));
  return { worker, exited, said };
}

/** A worker whose task has begun to compute, and goes on for so long. Its process ends itself when its event loop stands for four seconds. */
async function startComputing(restMs: number) {
  const server = await startServer();
  await send(server);
  const started = startWorker(computing, server.url, String(restMs));
  await expect.poll(() => started.said.out, slowly).toBe("computing\n");
  return started;
}

test("a process that was stopped for longer than it may be stuck goes on with its task", async () => {
  const { worker, said } = await startComputing(300);
  worker.kill("SIGSTOP");
  await sleep(6000);
  worker.kill("SIGCONT");
  await expect.poll(() => said.out, slowly).toBe("computing\nsettled\n");
  expect(said.err).toBe("");
}, 60_000);

test("a process that is stuck says so, and ends", async () => {
  const { exited, said } = await startComputing(1_000_000);
  expect(await exited).toEqual([null, "SIGKILL"]);
  await expect
    .poll(() => said.err)
    .toBe("q: the event loop has not turned for 4000 ms: ending this process, its tasks go to others\n");
}, 60_000);

test("a process that consumes nothing any more may stand still for as long as it likes", async () => {
  const { url } = await startServer();
  const { exited, said } = startWorker(computingAfterwards, url);
  expect(await exited).toEqual([0, null]);
  expect(said).toEqual({ out: "computed\n", err: "" });
}, 60_000);

test("a lease that is gone while the event loop is blocked is told as lost", async () => {
  const server = await startServer();
  const lost: string[] = [];
  const keeper = startThread(readOptions({ url: server.url, lease: "1s" }));
  keeper.keep({ queue: "default", id: "forgotten" }, () => lost.push("forgotten"));
  keeper.keep({ queue: "default", id: "never there" }, () => lost.push("never there"));
  keeper.forget("forgotten");
  await blockUntil(() => lost.length > 0);
  expect(lost).toEqual(["never there"]);
});

test("a thread that cannot reach Redis says so, and neither it nor one that is not up yet keeps anybody from closing", async () => {
  const starting = startThread();
  await starting.close();
  const logger = new RecordingLogger();
  const failing = startThread(nowhere, logger);
  failing.keep({ queue: "default", id: "a" }, () => undefined);
  await blockUntil(() => logger.lines.length > 0);
  expect(logger.lines[0]).toEqual({
    level: "warn",
    fields: { reason: expect.stringContaining("ECONNREFUSED") as string },
    text: "no lease is renewed while the event loop is blocked; trying again",
  });
  await failing.close();
});

test("a thread that fails is told, and may still be used and closed", async () => {
  const logger = new RecordingLogger();
  const failing = new ThreadKeeper(nowhere, logger, new URL("file:///no/such/file.js"));
  await expect.poll(() => logger.lines.map(({ level }) => level)).toEqual(["error"]);
  failing.keep({ queue: "default", id: "a" }, () => undefined);
  await failing.close();
});
