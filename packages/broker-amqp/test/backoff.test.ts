import { silentLogger, systemClock, type Clock } from "@q/core/broker";
import { isInstalled } from "@q/test-servers";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { Connection } from "../src/connection.ts";
import type { Link } from "../src/link.ts";
import { readOptions } from "../src/options.ts";
import { newVhost } from "./shared-node.ts";

beforeEach(({ skip }) => {
  skip(!isInstalled("rabbitmq-server"), "no RabbitMQ here: apt-get install rabbitmq-server");
});

/** Pauses before another connection are no longer than three seconds; time limits are. */
const timeout = "60s";
const longestPauseMs = 3000;

/** Time in which pauses are over at once, and noted. */
class HurriedClock implements Clock {
  readonly pauses: number[] = [];
  elapsedMs = 0;
  readonly now = systemClock.now;

  monotonic(): number {
    return this.elapsedMs;
  }

  setTimer(...[delayMs, ...rest]: Parameters<Clock["setTimer"]>): ReturnType<Clock["setTimer"]> {
    if (delayMs > longestPauseMs) return systemClock.setTimer(delayMs, ...rest);
    this.pauses.push(delayMs);
    return systemClock.setTimer(0, ...rest);
  }
}

test("pauses before a new connection grow while each is short-lived, and begin anew after one that lasted", async () => {
  const { url } = await newVhost("backoff");
  vi.spyOn(Math, "random").mockReturnValue(1);
  onTestFinished(() => void vi.restoreAllMocks());
  const clock = new HurriedClock();
  const settings = readOptions({ url, timeout });
  const connection = await Connection.open({ settings, clock, logger: silentLogger, name: "backoff" });
  onTestFinished(() => connection.close());
  const links: Link[] = [];
  connection.onLink((link) => void links.push(link));
  const fail = async (): Promise<void> => {
    const before = links.length;
    links.at(-1)?.fail(new Error("of a test"));
    await vi.waitFor(() => expect(links).toHaveLength(before + 1), { timeout: 20_000 });
  };
  for (let time = 0; time < 7; time += 1) await fail();
  expect(clock.pauses).toEqual([100, 200, 400, 800, 1600, 3000, 3000]);
  clock.elapsedMs = 10_000;
  await fail();
  expect(clock.pauses.at(-1)).toBe(100);
});
