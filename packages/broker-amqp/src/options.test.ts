import { fromUrl } from "@q/core";
import { hasCode } from "@q/core/broker";
import { describe, expect, test } from "vitest";
import { amqp } from "./index.ts";
import { readOptions, type AmqpOptions, type Settings } from "./options.ts";

const secret = "s3cr3t-c4n4ry";

describe("amqp()", () => {
  test("stands for this machine's RabbitMQ when it is told nothing", () => {
    expect(readOptions()).toEqual({
      hosts: [{ host: "localhost", port: 5672 }],
      vhost: "/",
      username: "guest",
      password: "guest",
      tls: undefined,
      address: "amqp://localhost:5672/",
      queueType: "quorum",
      queues: {},
      heartbeatMs: 10_000,
      timeoutMs: 5000,
      consumerTimeoutMs: 1_800_000,
    } satisfies Settings);
    expect(amqp().address).toBe("amqp://localhost:5672/");
    expect(amqp().holdLimit?.ms).toBe(1_800_000);
    expect(amqp({ consumerTimeout: false }).holdLimit).toBeUndefined();
  });

  test.each<[string, Partial<Settings>]>([
    ["amqp://guest:guest@localhost:5672/vhost", { vhost: "vhost", address: "amqp://localhost:5672/vhost" }],
    ["amqp://mq", { hosts: [{ host: "mq", port: 5672 }], vhost: "/" }],
    ["amqp://mq/", { vhost: "/" }],
    ["amqp://mq//", { vhost: "/" }],
    ["amqp://mq/%2F", { vhost: "/" }],
    ["amqp://mq/a%2Fb", { vhost: "a/b", address: "amqp://mq:5672/a%2Fb" }],
    ["amqp://app:p%40ss%2Fw%3Ard@mq", { username: "app", password: "p@ss/w:rd" }],
    ["pyamqp://mq/v", { vhost: "v", address: "amqp://mq:5672/v" }],
    ["amqps://mq", { hosts: [{ host: "mq", port: 5671 }], address: "amqps://mq:5671/" }],
    [
      "amqp://u:p@mq1,mq2:5673,[::1]/v",
      {
        hosts: [
          { host: "mq1", port: 5672 },
          { host: "mq2", port: 5673 },
          { host: "::1", port: 5672 },
        ],
        address: "amqp://mq1:5672,mq2:5673,[::1]:5672/v",
      },
    ],
    ["amqp://u:p@mq1//;amqp://u:p@mq2//", { hosts: [host("mq1"), host("mq2")], username: "u", vhost: "/" }],
    ["amqp://u:p@mq1;amqp://u:p@mq2", { hosts: [host("mq1"), host("mq2")] }],
    ["amqp://u:p@mq1:5672/v;amqp://u:p@mq2:5672/v", { hosts: [host("mq1"), host("mq2")], vhost: "v" }],
    [
      "amqp://mq?timeout=2s&queueType=classic&heartbeat=30s",
      { timeoutMs: 2000, queueType: "classic", heartbeatMs: 30_000 },
    ],
  ])("reads %s", (url, expected) => {
    expect(readOptions(url)).toMatchObject(expected);
  });

  test.each<[string | AmqpOptions, string]>([
    [`amqp://${secret}@mq`, "Q2026"],
    [`http://u:${secret}@mq`, "Q2026"],
    [`amqp://u:${secret}@mq,,mq2`, "Q2026"],
    [`amqp://u:${secret}@mq:99999`, "Q2026"],
    [`amqp://u:${secret}%ff@mq`, "Q2026"],
    [`amqp://u:${secret}@mq?prefetch=1`, "Q2011"],
    ["amqp://mq?heartbeat=60", "Q2010"],
    ["amqp://mq?ca=ca.pem", "Q2027"],
    [{ url: "amqp://mq", hosts: ["mq2"] }, "Q2027"],
    [{ queues: { a: { shared: "celery", type: "classic" } } }, "Q2027"],
    [{ queues: { a: { kind: "classic" } } } as AmqpOptions, "Q2011"],
    [{ queueType: "stream" } as unknown as AmqpOptions, "Q2027"],
    [{ timeout: "10ms" }, "Q2027"],
  ])("refuses %j with %s, and repeats no password", (options, code) => {
    let error: unknown;
    try {
      readOptions(options);
    } catch (refusal) {
      error = refusal;
    }
    expect(hasCode(error, code)).toBe(true);
    expect(JSON.stringify(error) + String(error)).not.toContain(secret);
  });

  test("answers to its schemes", () => {
    expect(fromUrl("amqps://mq/v", [amqp]).address).toBe("amqps://mq:5671/v");
  });
});

function host(name: string): { readonly host: string; readonly port: number } {
  return { host: name, port: 5672 };
}
