import type { RedisServer } from "@q/test-servers";
import { expect, onTestFinished, test } from "vitest";
import { FailoverWatch } from "../src/failover-watch.ts";
import { readOptions } from "../src/options.ts";
import { startServer } from "./connecting.ts";
import { createBroker, testSettings } from "./redis-harness.ts";
import { RecordingLogger } from "./recording-logger.ts";

const acl = ["user default off", "user app on >secret ~* &* +@all"];

/** What nobody handled, which ends a process. */
function unhandled(): unknown[] {
  const found: unknown[] = [];
  const collect = (reason: unknown): void => void found.push(reason);
  process.on("unhandledRejection", collect);
  onTestFinished(() => void process.off("unhandledRejection", collect));
  return found;
}

async function subscribers(server: RedisServer): Promise<number> {
  return String(await server.command("CLIENT", "LIST", "TYPE", "pubsub")).match(/ sub=1 /g)?.length ?? 0;
}

/** Takes the right to listen from whoever listens, and resolves when he has asked in vain. */
async function withdraw(server: RedisServer): Promise<void> {
  await server.command("ACL", "SETUSER", "app", "-subscribe");
  await server.command("CLIENT", "KILL", "TYPE", "pubsub");
  await expect.poll(async () => String(await server.command("ACL", "LOG")), { timeout: 10_000 }).toContain("subscribe");
}

test("a listener that may not listen any more says so, and ends nobody", async () => {
  const strays = unhandled();
  const server = await startServer({ acl });
  const logger = new RecordingLogger();
  const broker = createBroker(testSettings(`redis://app:secret@127.0.0.1:${server.port}`, ""));
  onTestFinished(() => broker.close());
  await broker.open({ logger });
  await broker.control.subscribe("main", () => undefined);
  await withdraw(server);
  await expect.poll(() => logger.lines.map(({ text }) => text).join()).toContain("hears no remote commands");
  expect(broker.connected).toBe(true);
  expect(strays).toEqual([]);
});

test("a failover watch that may not listen any more ends nobody, and listens when it comes back and may", async () => {
  const strays = unhandled();
  const server = await startServer({ acl, sentinel: ["sentinel monitor mymaster 127.0.0.1 6379 1"] });
  const sentinels = [`127.0.0.1:${server.port}`];
  const login = { sentinelUsername: "app", sentinelPassword: "secret" };
  const watch = new FailoverWatch(readOptions({ sentinels, master: "mymaster", ...login }));
  onTestFinished(() => watch.close());
  await expect.poll(() => subscribers(server)).toBe(1);
  await withdraw(server);
  await server.command("ACL", "SETUSER", "app", "+subscribe");
  await server.command("CLIENT", "KILL", "USER", "app");
  await expect.poll(() => subscribers(server), { timeout: 10_000 }).toBe(1);
  expect(strays).toEqual([]);
});
