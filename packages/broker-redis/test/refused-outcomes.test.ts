import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger, type Delivery } from "@q/core/broker";
import { expect, onTestFinished, test, vi } from "vitest";
import { queueKeys } from "../src/keys.ts";
import { startServer } from "./connecting.ts";
import { messages } from "./messages.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

const reason = { code: "failed", message: "" } as const;
const soon = { timeout: 10_000 };

/** A worker that holds two messages. */
async function startWorker() {
  const server = await startServer({ args: ["--save", "3600 1"], acl: ["user worker on >first ~* &* +@all"] });
  // What is asked fails before the lease ends.
  const settings = { ...testSettings(`redis://worker:first@127.0.0.1:${server.port}/0`, ""), timeoutMs: 300 };
  const worker = createBroker(settings);
  onTestFinished(() => worker.close());
  await worker.open({ logger: silentLogger });
  await worker.declare([{ name: "default", priorities: false }]);
  const deliveries: Delivery[] = [];
  await worker.consume(["default"], { prefetch: 2 }, (delivery) => void deliveries.push(delivery));
  const bring = async (count: number): Promise<void> => {
    await worker.publish(messages(1));
    await vi.waitFor(() => expect(deliveries).toHaveLength(count), soon);
  };
  await bring(1);
  await bring(2);
  return { server, worker, deliveries, bring };
}

test("what ends while Redis cannot write to its disk is stored when it can, and does not run again", async () => {
  const { server, worker, deliveries, bring } = await startWorker();
  const saved = async (expected: string): Promise<void> => {
    await server.command("bgsave");
    const status = async () => String(await server.command("info", "persistence"));
    await expect.poll(status, soon).toContain(`rdb_last_bgsave_status:${expected}\r`);
  };
  // Where a folder lies, no file can be put.
  const inTheWay = join(server.dir, "dump.rdb");
  await mkdir(join(inTheWay, "full"), { recursive: true });
  await saved("err");
  const [acked, buried] = [deliveries[0]?.settle({ kind: "ack" }), deliveries[1]?.settle({ kind: "bury", reason })];
  // Whoever waits hears the reason, after the time of a lease.
  await expect(acked).rejects.toMatchObject({ code: "Q1019" });
  await expect(buried).rejects.toMatchObject({ code: "Q1019" });
  await rm(inTheWay, { recursive: true });
  await saved("ok");
  await bring(3);
  const stats = () => worker.inspector.stats("default");
  await expect.poll(stats, soon).toMatchObject({ ready: 0, inFlight: 1, dead: 1 });
  await bring(4);
  expect(deliveries.map(({ fence }) => fence)).toEqual([1, 2, 3, 4]);
});

test("what ends while the user may not log in is stored when it may", async () => {
  const { server, worker, deliveries, bring } = await startWorker();
  await server.command("acl", "setuser", "worker", "resetpass", ">second");
  await server.command("client", "kill", "type", "normal");
  const acked = deliveries[0]?.settle({ kind: "ack" });
  await expect(acked).rejects.toMatchObject({ code: "Q1002" });
  await server.command("acl", "setuser", "worker", ">first");
  const stats = async () => worker.inspector.stats("default").catch(() => undefined);
  await expect.poll(stats, soon).toMatchObject({ ready: 0, inFlight: 1 });
  await bring(3);
  expect(deliveries.map(({ fence }) => fence)).toEqual([1, 2, 3]);
});

test("what ends while the user may not do anything is stored when it may", async () => {
  const { server, worker, deliveries, bring } = await startWorker();
  await server.command("acl", "setuser", "worker", "-@all");
  const [acked, buried] = [deliveries[0]?.settle({ kind: "ack" }), deliveries[1]?.settle({ kind: "bury", reason })];
  await expect(acked).rejects.toMatchObject({ code: "Q1018" });
  await expect(buried).rejects.toMatchObject({ code: "Q1018" });
  await server.command("acl", "setuser", "worker", "+@all");
  const stats = async () => worker.inspector.stats("default").catch(() => undefined);
  await expect.poll(stats, soon).toMatchObject({ ready: 0, inFlight: 0, dead: 1 });
  await bring(3);
  expect(deliveries.map(({ fence }) => fence)).toEqual([1, 2, 3]);
});

test("a dead letter that cannot be stored, because a key of another program is in the way, stays with its worker", async () => {
  const { server, deliveries, bring } = await startWorker();
  await server.command("set", queueKeys("default", "").dead, "somebody else's");
  await expect(deliveries[0]?.settle({ kind: "bury", reason })).rejects.toMatchObject({ code: "Q1017" });
  // With a free hand it looks, and a look finds what is held.
  await bring(3);
  expect(await deliveries[1]?.settle({ kind: "ack" })).toBe("settled");
  await bring(4);
  expect(deliveries.map(({ fence }) => fence)).toEqual([1, 2, 3, 4]);
});

test("what ends in the same moment as a dead letter that cannot be stored is stored", async () => {
  const { server, worker, deliveries, bring } = await startWorker();
  await server.command("set", queueKeys("default", "").dead, "somebody else's");
  const buried = deliveries[0]?.settle({ kind: "bury", reason });
  const acked = deliveries[1]?.settle({ kind: "ack" });
  await expect(buried).rejects.toMatchObject({ code: "Q1017" });
  expect(await acked).toBe("settled");
  await server.command("del", queueKeys("default", "").dead);
  expect(await worker.inspector.stats("default")).toMatchObject({ ready: 0, inFlight: 1 });
  await bring(3);
  expect(deliveries.map(({ fence }) => fence)).toEqual([1, 2, 3]);
});
