import { setTimeout as pause } from "node:timers/promises";
import type { RedisServer, TcpProxy } from "@q/test-servers";
import { expect } from "vitest";
import { adminOf, Load, type LoadOptions } from "../load.ts";
import type { Row } from "../world.ts";

type Leases = Pick<LoadOptions, "lease" | "timeout">;
type Fault = (proxy: TcpProxy, server: RedisServer) => Promise<void>;

/** A bad time for the connections of all, in which nobody dies. */
function network(row: string, words: Pick<Row, "name" | "why">, fault: Fault, leases: Leases = {}): Row {
  return {
    row,
    ...words,
    async run(world) {
      const server = await world.server();
      const proxy = await world.proxy(server);
      const load = await Load.start(world, { server, url: `redis://127.0.0.1:${proxy.port}`, ...leases });
      await fault(proxy, server);
      await proxy.restore();
      const { duplicates } = await load.finish();
      expect(duplicates).toBe(0);
    },
  };
}

export const networkRows: readonly Row[] = [
  network(
    "16, pause",
    { name: "Redis answers nobody for two leases: nothing runs twice", why: "an operator may pause all clients" },
    async (_proxy, server) => {
      await adminOf(server)("client", "pause", 4000);
      await pause(4500);
    },
  ),
  network(
    "16, kill",
    { name: "Redis hangs up on everybody again and again: all come back", why: "an operator may do that too" },
    async (_proxy, server) => {
      for (let round = 0; round < 30; round += 1) {
        await adminOf(server)("client", "kill", "type", "normal");
        await pause(300);
      }
    },
  ),
  ...[2500, 8000].map((ms) =>
    network(
      `18, ${ms} ms`,
      { name: "nothing arrives for a while: it is noticed, and all go on", why: "a dead link tells nobody" },
      async (proxy) => {
        proxy.blackhole();
        await pause(ms);
      },
      { lease: "5s", timeout: "1s" },
    ),
  ),
  network(
    "19",
    { name: "Redis hears everybody, and nobody hears Redis: as if answers were lost", why: "links break one way" },
    async (proxy) => {
      proxy.dropReplies();
      await pause(6000);
    },
  ),
];
