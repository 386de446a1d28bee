import { RedisCluster, TcpProxy, TestCertificates, type RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { readOptions, type RedisOptions } from "../src/options.ts";
import { script } from "../src/scripts/script.ts";
import { connect, failure, startServer } from "./connecting.ts";
import { Traffic } from "./failover.ts";

const queues = Array.from({ length: 8 }, (_, index) => `queue-${index}`);
const increment = script("increment", "return redis.call('INCR', KEYS[1])");

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start({ masters: 3, replicas: 1 });
});
afterAll(() => cluster.stop());

const urlOf = ({ nodes }: RedisCluster): string => `redis+cluster://127.0.0.1:${nodes[0]?.port}`;

async function slotOf(key: string): Promise<number> {
  return Number(await nodeAt(0).command("CLUSTER", "KEYSLOT", key));
}

function nodeAt(index: number): RedisServer {
  const node = cluster.nodes[index];
  if (node === undefined) throw new Error("expected a node");
  return node;
}

/** A cluster of one server. */
async function startAlone(...args: readonly string[]): Promise<RedisServer> {
  return withSlots(await startServer({ args: ["--cluster-enabled", "yes", ...args] }));
}

async function withSlots(node: RedisServer): Promise<RedisServer> {
  await node.command("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
  await expect.poll(() => node.command("CLUSTER", "INFO"), { timeout: 10_000 }).toContain("cluster_state:ok");
  return node;
}

describe("a cluster", () => {
  test("takes commands to all its masters as soon as it is open", async () => {
    const connection = await connect({ url: urlOf(cluster) });
    const keys = Array.from({ length: 60 }, (_, index) => `key-${index}`);
    const answers = await Promise.all(keys.map((key) => connection.run(increment, [key], [])));
    expect(answers).toEqual(keys.map(() => 1));
  });

  test.each([0, 1])("is followed to where a slot moves, also with %i replicas to wait for", async (replicas) => {
    const connection = await connect({ url: urlOf(cluster) });
    const key = `moving-${replicas}`;
    for (const [count, to] of [1, 2, 0].entries()) {
      await cluster.moveSlot(await slotOf(key), to);
      const run = (): Promise<unknown> => connection.run(increment, [key], [], { replicas });
      // Of a pipeline ioredis does not repeat what has moved, and whoever sent it does.
      await expect.poll(() => run().catch(() => 0)).toBe(count + 1);
    }
  });

  test("is reached encrypted", async () => {
    const certificates = await TestCertificates.create();
    onTestFinished(() => certificates.remove());
    const { ca, server } = certificates;
    const args = ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", "--tls-cluster", "yes"];
    const node = await withSlots(await startServer({ args, tls: { ...server, ca } }));
    const connection = await connect({ cluster: [`localhost:${node.port}`], tls: true, ca });
    expect(await connection.run(increment, ["key"], [])).toBe(1);
    expect((await failure({ cluster: [`localhost:${node.port}`], tls: true })).error.code).toBe("Q1021");
  });

  test("is reached where its nodes have other addresses from here", async () => {
    const node = await startAlone("--cluster-announce-ip", "192.0.2.1");
    const natMap = { [`192.0.2.1:${node.port}`]: `127.0.0.1:${node.port}` };
    const connection = await connect({ cluster: [`127.0.0.1:${node.port}`], natMap });
    expect(await connection.run(increment, ["key"], [])).toBe(1);
  });

  test("did what was under way when a connection ended once, and whoever waits hears at once", async () => {
    const node = await startAlone("--cluster-announce-ip", "192.0.2.1");
    const proxy = await TcpProxy.start({ port: node.port });
    onTestFinished(() => proxy.stop());
    const natMap = { [`192.0.2.1:${node.port}`]: `127.0.0.1:${proxy.port}` };
    const connection = await connect({ cluster: [`127.0.0.1:${node.port}`], natMap });
    await connection.call("rpush", "once", 1);
    proxy.dropReplies();
    const answers = Array.from({ length: 50 }, () =>
      connection.call("rpush", "once", 1).catch((error: unknown) => error),
    );
    await expect.poll(() => node.command("llen", "once")).toBe(51);
    const cutAt = performance.now();
    proxy.cut();
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ code: "Q1001", sent: true });
    expect(performance.now() - cutAt).toBeLessThan(1000);
    await proxy.restore();
    await expect.poll(() => connection.call("llen", "once").catch(() => undefined), { timeout: 10_000 }).toBe(51);
  });

  test("is connected to anew where a connection carries nothing any more", async () => {
    const node = await startAlone("--cluster-announce-ip", "192.0.2.1");
    const proxy = await TcpProxy.start({ port: node.port });
    onTestFinished(() => proxy.stop());
    const natMap = { [`192.0.2.1:${node.port}`]: `127.0.0.1:${proxy.port}` };
    const connection = await connect({ cluster: [`127.0.0.1:${node.port}`], natMap, timeout: "500ms" });
    const before = await connection.call("client", "id");
    proxy.blackhole();
    await expect(connection.call("ping")).rejects.toMatchObject({ code: "Q1001", sent: true });
    await proxy.restore();
    const now = (): Promise<unknown> => connection.call("client", "id").catch(() => before);
    await expect.poll(now, { timeout: 10_000 }).not.toBe(before);
  });

  test.each<[string, string, () => Promise<RedisOptions>]>([
    ["Q1001", "none of its servers is there", async () => ({ cluster: [`127.0.0.1:${(await stopped()).port}`] })],
    ["Q1001", "nobody has its slots", async () => ({ cluster: [await withoutSlots()], timeout: "1s" })],
    ["Q1002", "the password is wrong", async () => ({ url: urlOf(cluster), username: "app", password: "wrong" })],
    ["Q1023", "it is a single server", async () => ({ cluster: [`127.0.0.1:${(await startServer()).port}`] })],
  ])("is %s when %s", async (code, _what, options) => {
    const { error, tookMs } = await failure(await options());
    expect(error.code).toBe(code);
    expect(tookMs).toBeLessThan(4000);
  });

  async function stopped(): Promise<RedisServer> {
    const node = await startServer();
    await node.kill();
    return node;
  }

  async function withoutSlots(): Promise<string> {
    return `127.0.0.1:${(await startServer({ args: ["--cluster-enabled", "yes"] })).port}`;
  }
});

test("nothing that was confirmed is lost when slots move and when a master is killed", async () => {
  const traffic = await Traffic.start(readOptions({ url: urlOf(cluster), replicas: 1, timeout: "3s" }), queues);
  const flows = async (withinMs: number): Promise<void> => {
    const least = new Map(queues.map((queue) => [queue, traffic.confirmedOf(queue) + 5]));
    await expect
      .poll(() => queues.filter((queue) => traffic.confirmedOf(queue) < (least.get(queue) ?? 0)), { timeout: withinMs })
      .toEqual([]);
  };
  const masters = new Set(
    await Promise.all(queues.map(async (queue) => Math.floor(((await slotOf(queue)) * 3) / 16_384))),
  );
  expect(masters.size).toBe(3);
  await flows(10_000);
  for (const [index, queue] of queues.entries()) await cluster.moveSlot(await slotOf(queue), index % 3);
  await flows(10_000);
  await nodeAt(1).kill();
  // It comes back empty, and must find that its replica has taken over: else that one would follow it, and be empty too.
  await expect.poll(mastersThatRun, { timeout: 20_000 }).toBe(3);
  await nodeAt(1).restart();
  await flows(20_000);
  await traffic.stopSending();
  // What a lost answer had brought is found by the next look, which an idle worker takes every eight seconds.
  await expect.poll(() => traffic.missing, { timeout: 20_000 }).toEqual([]);
}, 90_000);

async function mastersThatRun(): Promise<number> {
  const roles = await Promise.all(
    cluster.nodes.filter(({ isRunning }) => isRunning).map((node) => node.command("ROLE") as Promise<unknown[]>),
  );
  return roles.filter(([role]) => role === "master").length;
}
