import { expect, onTestFinished, test } from "vitest";
import { startServer } from "./connecting.ts";
import { FixtureProcess } from "./fixture-process.ts";

test("a consumer that is stopped while it looks into its queue waits for nothing any more", async () => {
  const server = await startServer();
  const child = await FixtureProcess.start("stopped-while-looking", [server.url]);
  onTestFinished(() => child.kill());
  await expect.poll(() => child.output, { timeout: 10_000 }).toBe("closed\n");
  // With nothing to wait for, it ends by itself.
  await expect.poll(() => child.exitCode, { timeout: 5000 }).toBe(0);
});
