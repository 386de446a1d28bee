import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { JsonLog } from "./json-log.ts";
import { LogFile } from "./log-file.ts";

/** What the log has written, a line each. */
async function linesOf(write: (log: JsonLog) => void): Promise<readonly Record<string, unknown>[]> {
  const folder = await mkdtemp(join(tmpdir(), "q-json-log-"));
  const path = join(folder, "worker.log");
  const file = new LogFile(path, { onTrouble: () => {} });
  onTestFinished(async () => {
    file.close();
    await rm(folder, { recursive: true });
  });
  write(new JsonLog({ level: "info", ready: {}, file }));
  const text = await readFile(path, "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("an error has the same fields whoever logs it, and none that a client has put on it", async () => {
  const error = Object.assign(new TypeError("no", { cause: new Error("redis://u:secret@h/0 is away") }), {
    code: "E1",
    command: { name: "auth", args: ["secret"] },
  });
  const facts = { id: "m", task: "t.x", queue: "default", retries: 0, crashes: 0 };
  const record = {
    name: "TypeError",
    message: "no",
    code: "E1",
    stack: "at x",
    cause: { name: "Error", message: "c" },
  };
  const [logged, event] = await linesOf((log) => {
    log.logger.warn({ err: error }, "it failed");
    log.onEvent({ ...facts, type: "task.retried", ms: 1, delayMs: 1, maxRetries: 3, error: record });
  });
  expect(logged).toMatchObject({
    level: "warn",
    msg: "it failed",
    err: { name: "TypeError", message: "no", code: "E1", cause: "Error: redis://u:***@h/0 is away" },
  });
  const fields = Object.keys(event?.["err"] as object);
  expect(Object.keys(logged?.["err"] as object)).toEqual(fields);
});
