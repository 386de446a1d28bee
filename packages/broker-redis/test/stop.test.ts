import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startServer } from "./connecting.ts";

const run = promisify(execFile);
const fixture = fileURLToPath(new URL("fixtures/stopped-while-looking.mjs", import.meta.url));

test("a consumer that is stopped while it looks into its queue waits for nothing any more", async () => {
  const server = await startServer();
  // With nothing to wait for, it ends by itself.
  const { stdout } = await run(process.execPath, [fixture, server.url], { timeout: 15_000, killSignal: "SIGKILL" });
  expect(stdout).toBe("closed\n");
});
