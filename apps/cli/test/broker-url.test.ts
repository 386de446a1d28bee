import { fileURLToPath } from "node:url";
import { amqp } from "@q/broker-amqp";
import { redis } from "@q/broker-redis";
import { sqlite } from "@q/broker-sqlite";
import { expect, test } from "vitest";
import { brokerFromUrl } from "../src/broker-url.ts";
import { Project } from "./project.ts";

const options = { from: "--broker", configPath: fileURLToPath(import.meta.url) };

/** A URL that is whole, whatever its scheme stands for. */
function urlOf(scheme: string): string {
  if (scheme === "sqlite:") return "sqlite:q.db";
  if (/socket|unix/.test(scheme)) return `${scheme}///run/redis/redis.sock`;
  return `${scheme}//:hunter2@one:1111/${scheme.includes("sentinel") ? "mymaster" : ""}`;
}

test.each([
  ...sqlite.schemes.map((scheme) => [scheme, "sqlite"]),
  ...redis.schemes.map((scheme) => [scheme, "redis"]),
  ...amqp.schemes.map((scheme) => [scheme, "amqp"]),
] as const)("a URL that begins with %s is for %s", async (scheme, name) => {
  expect(await brokerFromUrl(urlOf(scheme), options)).toMatchObject({ name });
});

test.each(["localhost:6379", "cache:6379/0", "app:hunter2@cache:6379", "localhost", ""])(
  "%j has no scheme",
  async (url) => {
    await expect(brokerFromUrl(url, options)).rejects.toMatchObject({
      code: "Q2014",
      message: "the broker URL of --broker has no scheme",
      hint: expect.not.stringContaining("hunter2"),
    });
  },
);

test.each([
  ["rediss+sentinal://one", "rediss+sentinel:"],
  ["sqlit:.q/q.db", "sqlite:"],
])("%s has one that is misspelt", async (url, meant) => {
  await expect(brokerFromUrl(url, options)).rejects.toMatchObject({ code: "Q2014", hint: `Did you mean "${meant}"?` });
});

test.each(["--broker", "Q_BROKER_URL"])("Sentinels and clusters may be named by %s", async (from) => {
  const project = await Project.create({
    "q.config.mjs": `import { createApp } from "@q/core"; export const app = createApp({ queues: ["one"] });`,
  });
  await project.install("broker-redis");
  for (const [url, address] of [
    ["redis+sentinel://:hunter2@one:1,two:2/mymaster", "two:2"],
    ["rediss+cluster://:hunter2@one:1,two:2", "two:2"],
  ] as const) {
    const args = ["check", "--print-config", ...(from === "--broker" ? ["-b", url] : [])];
    const { code, stdout, stderr } = await project.q(args, from === "--broker" ? {} : { env: { Q_BROKER_URL: url } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`broker +redis.*${address}.* ${from}`));
    expect(stdout).not.toContain("hunter2");
  }
});
