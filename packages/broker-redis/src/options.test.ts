import { fromUrl } from "@q/core";
import { describe, expect, test } from "vitest";
import { redis } from "./index.ts";
import { readOptions, type RedisOptions, type Settings } from "./options.ts";
import { producerTtlMs } from "./scripts/publish.ts";

const secret = "s3cr3t-c4n4ry";

describe("redis()", () => {
  test("stands for the first database of this machine's Redis when it is told nothing", () => {
    expect(readOptions()).toEqual({
      target: { kind: "standalone", host: "localhost", port: 6379 },
      sentinelLogin: { username: undefined, password: undefined },
      natMap: {},
      username: undefined,
      password: undefined,
      db: 0,
      tls: undefined,
      address: "redis://localhost:6379/0",
      prefix: "",
      leaseMs: 30_000,
      replicas: 0,
      crashDelayMs: 1000,
      stuckAfterMs: 600_000,
      retention: { maxAgeMs: 90 * 86_400_000, maxCount: 100_000 },
      timeoutMs: 5000,
      allowEviction: false,
    } satisfies Settings);
    expect(readOptions({})).toEqual(readOptions("redis://localhost:6379/0"));
    expect(redis().address).toBe("redis://localhost:6379/0");
  });

  test.each<[string, Partial<Settings>]>([
    ["redis://", { address: "redis://localhost:6379/0" }],
    ["redis://cache", { target: { kind: "standalone", host: "cache", port: 6379 } }],
    ["redis://cache:6380/", { address: "redis://cache:6380/0", db: 0 }],
    ["redis://:password@cache:6379/3", { username: undefined, password: "password", db: 3 }],
    ["redis://app:p%40ss%2Fw%3Ard@cache", { username: "app", password: "p@ss/w:rd" }],
    ["redis://app:p+s%2Bs@cache", { password: "p+s+s" }],
    ["redis://app:@cache", { username: "app", password: "" }],
    [
      "redis://[::1]:7000/1",
      { target: { kind: "standalone", host: "::1", port: 7000 }, address: "redis://[::1]:7000/1" },
    ],
    ["redis://[fe80::1]", { address: "redis://[fe80::1]:6379/0" }],
    ["REDIS://cache", { address: "redis://cache:6379/0" }],
    [
      "redis+socket:///run/redis.sock",
      { target: { kind: "socket", path: "/run/redis.sock" }, address: "redis+socket:///run/redis.sock?db=0" },
    ],
    ["redis+socket:///run/redis.sock?virtual_host=2", { db: 2 }],
    [
      "redis+socket://:password@/run/a%20b.sock?db=1",
      { target: { kind: "socket", path: "/run/a b.sock" }, password: "password", db: 1 },
    ],
    [
      "unix:///run/redis.sock?db=3&password=p%26q",
      { target: { kind: "socket", path: "/run/redis.sock" }, db: 3, password: "p&q" },
    ],
    [
      "redis://cache/0?prefix=app:&lease=1m&replicas=1&timeout=2s",
      { prefix: "app:", leaseMs: 60_000, replicas: 1, timeoutMs: 2000 },
    ],
    ["redis://cache?stuckAfter=false&allowEviction=true", { stuckAfterMs: null, allowEviction: true }],
    ["redis://cache?deadMaxAge=7d&deadMaxCount=10", { retention: { maxAgeMs: 7 * 86_400_000, maxCount: 10 } }],
  ])("reads %s", (url, expected) => {
    expect(readOptions(url)).toMatchObject(expected);
  });

  test("Redis remembers a send for longer than the longest timeout lets it be repeated", () => {
    const { timeoutMs } = readOptions("redis://cache?timeout=2m");
    // The last attempt may begin as the time ends, and in a cluster it takes half of it more.
    expect(timeoutMs + 1.5 * timeoutMs).toBeLessThanOrEqual(producerTtlMs);
  });

  test("reads the certificates of an encrypted connection", () => {
    const mine = { ca: "/etc/ca.pem", cert: "/etc/my.pem", key: "/etc/my.key", servername: undefined, insecure: false };
    expect(readOptions("rediss://cache?ca=/etc/ca.pem&cert=/etc/my.pem&key=/etc/my.key")).toMatchObject({
      tls: mine,
      address: "rediss://cache:6379/0",
    });
    expect(
      readOptions(
        "rediss://cache/0?ssl_ca_certs=/etc/ca.pem&ssl_certfile=/etc/my.pem&ssl_keyfile=/etc/my.key&ssl_cert_reqs=CERT_REQUIRED",
      ).tls,
    ).toEqual(mine);
    expect(readOptions("rediss://cache?ssl_cert_reqs=none").tls?.insecure).toBe(true);
    expect(readOptions({ url: "rediss://10.0.0.7", servername: "cache" }).tls?.servername).toBe("cache");
    expect(readOptions({ url: "redis://cache", tls: true }).address).toBe("rediss://cache:6379/0");
  });

  test("reads Sentinels from a URL, from Celery's, and from options", () => {
    const sentinels = [
      { host: "s1", port: 26_379 },
      { host: "::2", port: 26_380 },
    ];
    const target = { kind: "sentinel" as const, master: "mymaster", sentinels };
    const address = "redis+sentinel://s1:26379,[::2]:26380/mymaster/2";
    expect(readOptions("redis+sentinel://s1,[::2]:26380/mymaster/2")).toMatchObject({ target, address, db: 2 });
    expect(readOptions("sentinel://s1:26379;sentinel://[::2]:26380/2?master_name=mymaster")).toMatchObject({
      target,
      address,
    });
    expect(readOptions({ sentinels: ["s1", "[::2]:26380"], master: "mymaster", db: 2 })).toMatchObject({
      target,
      address,
    });
    expect(readOptions("rediss+sentinel://s1/mymaster")).toMatchObject({
      db: 0,
      tls: { insecure: false },
      address: "rediss+sentinel://s1:26379/mymaster/0",
    });
  });

  test("keeps the login of the Sentinels apart from that of the server", () => {
    const both = {
      username: "app",
      password: "one",
      sentinelLogin: { username: "watcher", password: "two" },
    };
    expect(
      readOptions("redis+sentinel://app:one@s1,s2/mymaster/0?sentinelUsername=watcher&sentinelPassword=two"),
    ).toMatchObject(both);
    const place = { sentinels: ["s1", "s2"], master: "mymaster" };
    const logins = { username: "app", password: "one", sentinelUsername: "watcher", sentinelPassword: "two" };
    expect(readOptions({ ...place, ...logins })).toMatchObject(both);
    expect(readOptions("sentinel://:one@s1:26379/0;sentinel://:one@s2:26379/0?master_name=m")).toMatchObject({
      password: "one",
      sentinelLogin: { password: undefined },
      target: { sentinels: [{ host: "s1" }, { host: "s2" }] },
    });
  });

  test("reads a cluster from a URL and from options", () => {
    const target = {
      kind: "cluster" as const,
      nodes: [
        { host: "n1", port: 7000 },
        { host: "n2", port: 6379 },
      ],
    };
    const address = "redis+cluster://n1:7000,n2:6379";
    expect(readOptions("redis+cluster://n1:7000,n2")).toMatchObject({ target, address, db: 0 });
    expect(readOptions("redis+cluster://n1:7000,n2/0")).toMatchObject({ target });
    expect(readOptions({ cluster: ["n1:7000", "n2"], natMap: { "10.0.0.1:6379": "localhost:7001" } })).toMatchObject({
      target,
      address,
      natMap: { "10.0.0.1:6379": { host: "localhost", port: 7001 } },
    });
    expect(readOptions("rediss+cluster://app:one@n1")).toMatchObject({
      username: "app",
      address: "rediss+cluster://n1:6379",
      tls: { ca: undefined },
    });
  });

  test("an option wins over the same parameter of the URL", () => {
    const options: RedisOptions = { url: "redis://a:b@cache/1?lease=1m&prefix=x", lease: "2m", password: "c", db: 4 };
    const plain = { ...options, prefix: undefined };
    // As plain JavaScript may write it.
    expect(readOptions(plain as unknown as RedisOptions)).toMatchObject({
      leaseMs: 120_000,
      prefix: "x",
      username: "a",
      password: "c",
      db: 4,
      address: "redis://cache:6379/4",
    });
  });

  test.each([
    ["Q2011", "redis://cache?laese=1m"],
    ["Q2011", "redis://cache?url=redis://other"],
    ["Q2011", "redis://cache?tls=true"],
    ["Q2026", ""],
    ["Q2026", "cache:6379"],
    ["Q2026", "http://cache"],
    ["Q2026", "redis:cache"],
    ["Q2026", "redis://cache:99999"],
    ["Q2026", "redis://cache:0"],
    ["Q2026", "redis://::1:6379"],
    ["Q2026", "redis://ca che"],
    ["Q2026", "redis://a,b"],
    ["Q2026", "redis://cache/0/1"],
    ["Q2026", "redis+socket://host/run/redis.sock"],
    ["Q2026", "redis+socket://"],
    ["Q2026", "redis+sentinel://s1,s2"],
    ["Q2026", "redis+sentinel://s1,,s2/mymaster"],
    ["Q2026", "sentinel://s1:26379/0"],
    ["Q2026", "redis+cluster://n1,"],
    ["Q2026", "redis://:%E0%A4%A@cache"],
    ["Q2027", "redis://cache/one"],
    ["Q2027", "redis://cache/-1"],
    ["Q2027", "redis+cluster://n1/1"],
    ["Q2027", "redis://cache?ca=/etc/ca.pem"],
    ["Q2027", "rediss://cache?cert=/etc/my.pem"],
    ["Q2027", "redis://cache?sentinelPassword=x"],
    ["Q2027", "redis://cache?prefix={app}"],
    ["Q2027", "redis://cache?lease=999ms"],
    ["Q2027", "redis://cache?timeout=1ms"],
    ["Q2027", "redis://cache?timeout=121s"],
    ["Q2027", "redis://cache?replicas=-1"],
    ["Q2027", "redis://cache?replicas=1.5"],
    ["Q2027", "redis://cache?allowEviction=yes"],
    ["Q2027", "redis://cache?deadMaxCount=0"],
    ["Q2010", "redis://cache?lease=30"],
    ["Q2010", "redis://cache?stuckAfter=never"],
  ])("refuses with %s: %s", (code, url) => {
    expect(() => redis(url)).toThrow(expect.objectContaining({ code, name: "ConfigError" }));
  });

  test.each<[string, unknown]>([
    ["Q2011", { host: "cache" }],
    ["Q2026", { sentinels: ["s1:x"], master: "m" }],
    ["Q2027", { url: "redis://cache", cluster: ["n1"] }],
    ["Q2027", { sentinels: ["s1"] }],
    ["Q2027", { master: "mymaster" }],
    ["Q2027", { cluster: [] }],
    ["Q2027", { cluster: "n1" }],
    ["Q2027", { url: 7 }],
    ["Q2027", { password: 7 }],
    ["Q2027", { db: 1.5 }],
    ["Q2027", { prefix: "a\0b" }],
    ["Q2027", { natMap: { a: 1 } }],
    ["Q2010", { lease: 30 }],
  ])("refuses options from plain JavaScript with %s: %j", (code, options) => {
    expect(() => redis(options as RedisOptions)).toThrow(expect.objectContaining({ code, name: "ConfigError" }));
  });

  test.each([
    `redis://user:${secret}@cache:port`,
    `redis://${secret}@cache`,
    `redis://:pa/${secret}@cache`,
    `redis://:pa#${secret}@cache`,
    `redis://user?${secret}@cache`,
    `redis://:%zz${secret}@cache`,
    `redis+socket://${secret}/run/redis.sock`,
    `redis+sentinel://:${secret}@s1,s2`,
    `redis://:${secret}@cache?ca=x`,
    `rediss://:${secret}@cache?key=${secret}`,
    `redis://cache?sentinelPassword=${secret}`,
    `sqlite://:${secret}@cache`,
  ])("does not repeat what may be the password in the URL that it refuses: %s", (url) => {
    const refused = (): unknown => redis(url);
    expect(refused).toThrow(expect.objectContaining({ name: "ConfigError" }));
    expect(refused).not.toThrow(new RegExp(secret));
  });

  test("the address holds no login", () => {
    const address = redis(`redis+sentinel://user:${secret}@s1/m?sentinelPassword=${secret}`).address;
    expect(address).toBe("redis+sentinel://s1:26379/m/0");
  });

  test("settings are plain data, for a thread gets them", () => {
    const settings = readOptions("rediss+sentinel://a:b@s1/m?ca=x&sentinelPassword=c");
    expect(structuredClone(settings)).toEqual(settings);
  });

  test.each([
    "redis:",
    "rediss:",
    "redis+socket:",
    "unix:",
    "redis+sentinel:",
    "sentinel:",
    "redis+cluster:",
    "rediss+cluster:",
  ])("answers to URLs with %s", (scheme) => {
    expect(redis.schemes).toContain(scheme);
  });

  test("is found by the scheme of a URL", () => {
    expect(fromUrl("redis+cluster://n1,n2", [redis]).address).toBe("redis+cluster://n1:6379,n2:6379");
  });
});
