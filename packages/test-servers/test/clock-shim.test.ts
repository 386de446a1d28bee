import { beforeEach, expect, onTestFinished, test } from "vitest";
import { ClockShim, isInstalled, RedisServer } from "../src/index.ts";
import { until } from "../src/until.ts";

beforeEach(({ skip }) => {
  skip(!isInstalled("gcc"), "no gcc here: apt-get install gcc libc6-dev");
  skip(!isInstalled("redis-server"), "no Redis here: apt-get install redis-server");
});

const hourMs = 3_600_000;

async function start(): Promise<{ shim: ClockShim; server: RedisServer }> {
  const shim = await ClockShim.create();
  onTestFinished(() => shim.remove());
  const server = await RedisServer.start({ env: shim.env });
  onTestFinished(() => server.stop());
  return { shim, server };
}

/** How far the clock of the server is ahead of ours, in hours. */
async function hoursAhead(server: RedisServer): Promise<string> {
  const [seconds] = (await server.command("TIME")) as [string, string];
  return ((Number(seconds) * 1000 - Date.now()) / hourMs).toFixed(1).replace("-0.0", "0.0");
}

test("the clock of a running server jumps forward and backward", async () => {
  const { shim, server } = await start();
  const { pid } = server;
  expect(await hoursAhead(server)).toBe("0.0");
  shim.offset(hourMs);
  expect(await hoursAhead(server)).toBe("1.0");
  shim.offset(-2 * hourMs);
  expect(await hoursAhead(server)).toBe("-2.0");
  shim.offset(0);
  expect(await hoursAhead(server)).toBe("0.0");
  expect(server.pid).toBe(pid);
});

test("a key expires when the clock jumps past its end", async () => {
  const { shim, server } = await start();
  await server.command("SET", "key", "value", "EX", 60);
  expect(await server.command("GET", "key")).toBe("value");
  shim.offset(hourMs);
  await until("the key has expired", 5000, async () => (await server.command("GET", "key")) === null);
});

test("a fraction of a second carries over, in both directions", async () => {
  const { shim, server } = await start();
  for (const offsetMs of [999, -999, 1500, -1500]) {
    shim.offset(offsetMs);
    const before = Date.now();
    const [seconds, micros] = (await server.command("TIME")) as [string, string];
    const serverMs = Number(seconds) * 1000 + Number(micros) / 1000 - offsetMs;
    expect(Number(micros)).toBeGreaterThanOrEqual(0);
    // The server's TIME may be that of the moment when its event loop woke up.
    expect(serverMs).toBeGreaterThanOrEqual(before - 5);
    expect(serverMs).toBeLessThanOrEqual(Date.now() + 5);
  }
});
