import { readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";
import { residentBytes } from "./resident-bytes.ts";

const rounds = 300;

export const flapping: Row = {
  row: "21",
  name: "connections break five times a second for a minute: nothing is lost, and nobody keeps what is broken",
  why: "a bad switch does that, and a socket or a listener left behind each time adds up",
  async run(world) {
    const server = await world.server();
    const proxy = await world.proxy(server);
    const load = await Load.start(world, { server, url: `redis://127.0.0.1:${proxy.port}`, perSecond: 50 });
    const processes = [...load.fleet.workers, ...load.producers].map(({ pid }) => pid);
    const used = () => processes.map((pid) => ({ files: openFiles(pid), bytes: residentBytes(pid) }));
    const flap = async (times: number): Promise<void> => {
      for (let round = 0; round < times; round += 1) {
        proxy.cut();
        await pause(200);
      }
    };
    // What an outage costs once, it may cost.
    await flap(rounds / 5);
    await load.allWork();
    const before = used();
    await flap((rounds * 4) / 5);
    await load.allWork();
    const after = used();
    for (const [index, { files, bytes }] of before.entries()) {
      expect(after[index]?.files).toBeLessThanOrEqual(files + 5);
      expect(after[index]?.bytes).toBeLessThan(bytes * 1.3);
    }
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
  },
};

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
