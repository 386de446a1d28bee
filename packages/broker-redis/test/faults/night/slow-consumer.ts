import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { adminOf, queue } from "../load.ts";
import type { Row } from "../world.ts";
import { residentBytes } from "./resident-bytes.ts";

const backlog = 100_000;
const concurrency = 10;

export const slowConsumer: Row = {
  row: "54",
  name: "a hundred thousand messages wait for one slow worker: it holds no more than it runs, and its memory does not grow",
  why: "a worker that takes what it cannot run keeps it from others, and dies with all of it",
  async run(world) {
    const server = await world.server();
    const admin = adminOf(server);
    const { history } = world;
    const place = { url: server.url, queue };
    const tasks = { retryEvery: 0, delayEvery: 0, ms: 1000 };
    const producer = world.start("producer", {
      ...place,
      name: "p",
      count: backlog,
      burst: 5000,
      perSecond: 1e6,
      tasks,
    });
    await eventually("all are stored", 90_000, async () => !producer.isRunning);
    expect(producer.failure).toBeUndefined();
    expect(await admin("llen", queue)).toBe(backlog);
    const worker = world.start("worker", { ...place, concurrency });
    const acked = (): number => history.read().of("acked").length;
    await eventually("it works", 30_000, () => acked() > 2 * concurrency);
    const before = residentBytes(worker.pid);
    let most = 0;
    for (let look = 0; look < 100; look += 1) {
      const [key] = (await admin("keys", "q:{load}:held:*")) as string[];
      most = Math.max(most, key === undefined ? 0 : Number(await admin("hlen", key)));
      await pause(100);
    }
    expect(most).toBeGreaterThan(0);
    // Those that run, and those whose end is on its way to Redis.
    expect(most).toBeLessThanOrEqual(2 * concurrency);
    expect(residentBytes(worker.pid)).toBeLessThan(before * 1.25);
    const seconds = (history.read().of("acked").at(-1)?.at ?? 0) - (history.of("acked")[0]?.at ?? 0);
    expect(acked() / (seconds / 1000)).toBeGreaterThan(concurrency * 0.6);
    await worker.stop();
    expect(await admin("llen", queue)).toBe(backlog - history.read().of("acked").length);
  },
};
