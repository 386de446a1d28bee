import { eventually, judge, recoveryTimes } from "@q/fault-kit";
import { ClockShim } from "@q/test-servers";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const hour = 3_600_000;
const leaseMs = 2000;

export const clockJumps: Row = {
  row: "46",
  name: "the clock of Redis jumps an hour ahead and back: nothing runs twice, and a silent worker is still found",
  why: "leases end by that clock",
  needs: "gcc",
  async run(world) {
    const shim = await ClockShim.create();
    world.defer(() => shim.remove());
    const server = await world.server({ env: shim.env });
    // Without delays: one that was set by the clock of an hour ahead waits for an hour.
    const tasks = { mostMs: 60, retryEvery: 0, delayEvery: 0 };
    const load = await Load.start(world, { server, perSecond: 200, tasks });
    shim.offset(hour);
    await load.allWork();
    shim.offset(0);
    await load.allWork();
    expect(judge(load.history.read()).duplicates).toBe(0);
    const silent = load.fleet.pick(world.random());
    const at = Date.now();
    silent.freeze();
    const recovered = (): boolean => recoveryTimes(load.history.read(), silent.pid, at).every(Number.isFinite);
    await eventually("what the silent one held runs elsewhere", 10_000, recovered);
    await silent.kill();
    const { duplicates } = await load.finish();
    const times = recoveryTimes(load.history, silent.pid, at);
    expect(duplicates).toBeLessThanOrEqual(10);
    // The time in which nobody dies after a jump, the lease, two beats, and a busy machine.
    expect(Math.max(...times)).toBeLessThan(2 * leaseMs + 2 * (leaseMs / 6) + 1500);
  },
};
