import { silentLogger } from "@q/core/broker";
import { freePort, RedisSentinels, TcpProxy, TestCertificates, type RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { FailoverWatch } from "../src/failover-watch.ts";
import { redis } from "../src/index.ts";
import { readOptions } from "../src/options.ts";
import { setUser } from "./acl-page.ts";
import { connect, failure, startServer } from "./connecting.ts";
import { Traffic } from "./failover.ts";

let group: RedisSentinels;
beforeAll(async () => {
  group = await RedisSentinels.start({ replicas: 2 });
});
afterAll(() => group.stop());

const placeOf = ({ host, port }: { readonly host: string; readonly port: number }): string => `${host}:${port}`;
const url = (): string => `redis+sentinel://${group.sentinels.map(placeOf).join()}/${group.name}/0`;

async function isSubscribed(sentinel: RedisServer): Promise<boolean> {
  return String(await sentinel.command("CLIENT", "LIST", "TYPE", "pubsub")).includes("sub=1");
}

describe("Sentinels", () => {
  test("lead to the master, encrypted and with a login of their own", async () => {
    const certificates = await TestCertificates.create();
    onTestFinished(() => certificates.remove());
    const { ca, server: cert, client } = certificates;
    const tls = { ...cert, ca, clientCertificates: true };
    const replication = ["tls-replication yes", `tls-ca-cert-file ${ca}`];
    const master = await startServer({ tls, acl: ["user default off", "user app on >one ~* &* +@all"] });
    const sentinel = await startServer({
      tls,
      acl: ["user default off"],
      sentinel: [
        `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`,
        "sentinel auth-user mymaster app",
        "sentinel auth-pass mymaster one",
        ...replication,
      ],
    });
    await sentinel.command("ACL", ...setUser("q-sentinel"));
    const place = { sentinels: [placeOf(sentinel)], master: "mymaster", tls: true, ca, ...client };
    const logins = {
      username: "app",
      password: "one",
      sentinelUsername: "q-sentinel",
      sentinelPassword: "secret",
    };
    const connection = await connect({ ...place, ...logins });
    expect(await connection.call("acl", "whoami")).toBe("app");
    const watch = new FailoverWatch(readOptions({ ...place, ...logins }));
    onTestFinished(() => watch.close());
    await expect.poll(() => isSubscribed(sentinel)).toBe(true);
    expect(await sentinel.command("ACL", "LOG")).toEqual([]);
    for (const [code, wrong] of [
      ["Q1002", { password: "two" }],
      ["Q1002", { sentinelPassword: "two" }],
      ["Q1021", { ca: cert.cert }],
      ["Q1023", { master: "another" }],
    ] as const) {
      expect((await failure({ ...place, ...logins, ...wrong })).error.code).toBe(code);
    }
  });

  test("that are gone without a word leave time to ask another one", async () => {
    const [first] = group.sentinels;
    const proxy = await TcpProxy.start({ port: first?.port ?? 0 });
    onTestFinished(() => proxy.stop());
    proxy.blackhole();
    const [, ...others] = group.sentinels.map(placeOf);
    const connection = await connect({ sentinels: [placeOf(proxy), ...others], master: group.name, timeout: "2s" });
    expect(await connection.call("ping")).toBe("PONG");
  });

  test("that are not there are an error at once", async () => {
    const { error, tookMs } = await failure({ url: `redis+sentinel://127.0.0.1:${await freePort()}/mymaster` });
    expect(error).toMatchObject({ code: "Q1001", message: expect.stringContaining("ECONNREFUSED") });
    expect(tookMs).toBeLessThan(2000);
  });

  test("have nobody connected when the broker is closed", async () => {
    const broker = redis(url());
    await broker.open({ logger: silentLogger });
    const listened = async (): Promise<boolean[]> => Promise.all(group.sentinels.map(isSubscribed));
    await expect.poll(listened).toEqual([true, true, true]);
    await broker.close();
    await expect.poll(listened).toEqual([false, false, false]);
  });
});

/** Sends and takes, and resolves when both go on. */
async function flows({ confirmed, arrived }: Traffic, withinMs: number): Promise<void> {
  const least = { confirmed: confirmed.size + 50, arrived: arrived.size + 50 };
  await expect
    .poll(() => confirmed.size > least.confirmed && arrived.size > least.arrived, { timeout: withinMs })
    .toBe(true);
}

// What each way may lose, and what not, is in the rows 25 and 26 of the fault matrix.
test("when a replica is promoted by hand, nobody stays with the old master, which takes writes for ten seconds more", async () => {
  const traffic = await Traffic.start(readOptions({ url: url(), replicas: 1, timeout: "3s" }), ["one", "two"]);
  await flows(traffic, 10_000);
  const promoted = await group.failover();
  await expect
    .poll(
      async () =>
        String(await promoted.command("client", "list")).match(/ name=q .* cmd=(eval|evalsha|wait) /g)?.length ?? 0,
      {
        timeout: 5000,
      },
    )
    .toBeGreaterThan(1);
  await flows(traffic, 5000);
}, 90_000);

test("nothing that was confirmed is lost when the master is killed", async () => {
  const traffic = await Traffic.start(readOptions({ url: url(), replicas: 1, timeout: "3s" }), ["three", "four"]);
  await flows(traffic, 30_000);
  await group.killMaster();
  await flows(traffic, 10_000);
  await traffic.stopSending();
  await expect.poll(() => traffic.missing, { timeout: 10_000 }).toEqual([]);
}, 90_000);
