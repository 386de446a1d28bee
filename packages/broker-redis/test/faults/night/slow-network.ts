import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const bytesPerSecond = 32_000;
/** Of a send, with what is around the message. */
const messageBytes = 500;
const lastsMs = 20_000;

export const slowNetwork: Row = {
  row: "20",
  name: "bytes take 50 to 300 ms, and no connection carries more than 32 kB a second: all is slow, and nothing else",
  why: "what counts on quick answers fails on a link like this, and first of all while it starts",
  async run(world) {
    const server = await world.server();
    const proxy = await world.proxy(server);
    proxy.bandwidth(bytesPerSecond);
    const wander = setInterval(() => proxy.latency(50 + 250 * world.random()), 500);
    world.defer(() => Promise.resolve(clearInterval(wander)));
    const url = `redis://127.0.0.1:${proxy.port}`;
    const load = await Load.start(world, { server, url, perSecond: 10, lease: "10s", timeout: "20s" });
    // More than a connection carries, and a second's worth at once: who waited for each answer would send ten in that time.
    const bulk = load.startProducer("bulk", { burst: bytesPerSecond / messageBytes, perSecond: 1000 });
    await eventually("it sends", 60_000, () => load.history.read().of("ok", { pid: bulk.pid }).length > 0);
    const since = Date.now();
    await pause(lastsMs);
    const stored = load.history.read().of("ok", { since, pid: bulk.pid }).length;
    expect(stored / (lastsMs / 1000)).toBeGreaterThan(bytesPerSecond / messageBytes / 2);
    clearInterval(wander);
    await proxy.restore();
    await bulk.stop();
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
    expect(load.history.of("err")).toEqual([]);
  },
};
