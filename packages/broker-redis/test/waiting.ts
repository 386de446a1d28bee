import { silentLogger, systemClock, type QueueOptions } from "@q/core/broker";
import { TcpProxy, type RedisServer } from "@q/test-servers";
import { expect, onTestFinished, vi } from "vitest";
import { queueKeys } from "../src/keys.ts";
import { OpenBroker } from "../src/open-broker.ts";
import type { Settings } from "../src/options.ts";
import type { RedisBroker } from "../src/redis-broker.ts";
import { takeLanded } from "../src/scripts/take-landed.ts";
import { connect, startServer } from "./connecting.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

/** A lease that is seldom renewed, so that nothing but messages makes commands. */
export function settingsOf(port: number): Settings {
  return { ...testSettings(`redis://127.0.0.1:${port}/0`, ""), leaseMs: 60_000 };
}

/** One that has seen the script which stands behind waits: without, its answer is that it does not know it. */
export async function startSeasonedServer(): Promise<RedisServer> {
  const server = await startServer();
  await takeLanded(await connect({ url: server.url }), queueKeys("default", ""), {
    id: "nobody",
    list: 0,
    most: 1,
    lastFence: 0,
  });
  return server;
}

/** With queues that it has declared. */
export async function openBroker(port: number, ...queues: readonly (string | QueueOptions)[]): Promise<RedisBroker> {
  const broker = createBroker(settingsOf(port));
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  await broker.declare(queues.map((queue) => (typeof queue === "string" ? { name: queue, priorities: false } : queue)));
  return broker;
}

/** What a broker that does not consume is made of. */
export async function openParts(port: number): Promise<OpenBroker> {
  const own = { pid: 1, startedAt: null, bootId: null, pidNamespace: null };
  const liveness = { own, check: () => "unknown" as const };
  const startKeeper = () => {
    throw new Error("expected nobody to consume");
  };
  const open = await OpenBroker.open(settingsOf(port), { clock: systemClock, liveness, startKeeper }, silentLogger);
  onTestFinished(() => open.close());
  return open;
}

/** Until the end of the test. */
export async function startProxy(server: RedisServer): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(server);
  onTestFinished(() => proxy.stop());
  return proxy;
}

/** Resolves when so many lists are waited for. */
export async function untilWaiting(server: RedisServer, count = 1): Promise<void> {
  await vi.waitFor(
    async () => expect(String(await server.command("info", "clients"))).toContain(`blocked_clients:${count}\r`),
    5000,
  );
}

/** How often a command was called, also by scripts. */
export async function calls(server: RedisServer, command: string): Promise<number> {
  const stats = String(await server.command("info", "commandstats"));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

/** Tags of what the consumers of a queue hold. */
export async function held(server: RedisServer, queue = "default"): Promise<readonly string[]> {
  const names = (await server.command("keys", queueKeys(queue, "").held("*"))) as string[]; // what KEYS answers
  const tags = await Promise.all(names.map((name) => server.command("hkeys", name)));
  return tags.flat() as string[]; // what HKEYS answers
}

/** Resolves when the consumers of a queue hold so many. */
export async function untilHeld(server: RedisServer, count: number, queue = "default"): Promise<void> {
  await vi.waitFor(async () => expect(await held(server, queue)).toHaveLength(count), 5000);
}

/** How many are in lists; the name of a queue is that of its first one. */
export async function ready(server: RedisServer, lists: readonly string[]): Promise<number> {
  const counts = await Promise.all(lists.map((list) => server.command("llen", list)));
  return counts.reduce<number>((sum, count) => sum + Number(count), 0);
}
