import { early, eventually, firstRuns, lateBecauseOfDelay, type Child } from "@q/fault-kit";
import { ClockShim } from "@q/test-servers";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const shorts = 5000;
const longs = 200;
/** Up to twenty seconds. */
const shortMs: readonly number[] = Array.from({ length: 99 }, (_, number) => 100 + number * 200);
/** Not due while the test waits for the short ones. */
const longMs = 600_000;

export const delaysRow: Row = {
  row: "39",
  name: "five thousand delays of up to twenty seconds, and some of ten minutes, while Redis is killed: none early, lost or late",
  why: "what waits is in Redis, and nobody else keeps it in mind",
  needs: "gcc",
  async run(world) {
    const shim = await ClockShim.create();
    world.defer(() => shim.remove());
    const server = await world.server({ appendonly: true, args: ["--appendfsync", "always"], env: shim.env });
    const load = await Load.start(world, { server, perSecond: 20 });
    const { history } = load;
    const send = (name: string, count: number, delays: readonly number[]): Child => {
      const tasks = { mostMs: 0, retryEvery: 0, delayEvery: 1, delays };
      return load.startProducer(name, { count, burst: 100, perSecond: 2500, tasks });
    };
    await Promise.all([send("short", shorts, shortMs).exited, send("long", longs, [longMs]).exited]);
    const count = (kind: string, name: string): number =>
      history
        .read()
        .of(kind)
        .filter(({ id }) => id?.startsWith(name)).length;
    expect([count("ok", "short"), count("ok", "long")]).toEqual([shorts, longs]);
    const killedAt = Date.now();
    await server.kill();
    await server.restart();
    await load.allWork();
    const backAt = Date.now();
    await eventually("all short ones are done", 60_000, () => count("done", "short") === shorts);
    expect(count("done", "long")).toBe(0);
    const runs = firstRuns(history);
    expect(early(runs)).toEqual([]);
    const undisturbed = runs.filter(({ dueBetween: [due] }) => due < killedAt - 2000 || due > backAt);
    expect(undisturbed.length).toBeGreaterThan(shorts / 2);
    expect(lateBecauseOfDelay(undisturbed, 0.99)).toBeLessThan(1200);
    shim.offset(longMs);
    await eventually("all long ones are done", 20_000, () => count("done", "long") === longs);
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
  },
};
