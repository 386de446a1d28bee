import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startServer } from "./connecting.ts";

const run = promisify(execFile);
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.mjs`, import.meta.url));
/** With nothing to wait for, it ends by itself. */
const alone = { timeout: 15_000, killSignal: "SIGKILL" } as const;

test("a consumer that is stopped while it looks into its queue waits for nothing any more", async () => {
  const server = await startServer();
  const { stdout } = await run(process.execPath, [fixture("stopped-while-looking"), server.url], alone);
  expect(stdout).toBe("closed\n");
});

test.each([0, 3, 10, 30])(
  "a consumer ends with the broker that is closed while it begins, after %d turns of the event loop",
  async (turns) => {
    const server = await startServer();
    const args = [fixture("closed-while-beginning"), server.url, String(turns)];
    const { stdout } = await run(process.execPath, args, alone);
    expect(stdout).toBe("closed\n");
  },
);
