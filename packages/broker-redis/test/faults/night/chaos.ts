import { ok } from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { ClockShim } from "@q/test-servers";
import { adminOf, Load } from "../load.ts";
import type { Row, World } from "../world.ts";

const lastsMs = 60_000;
const concurrency = 10;
/** Redis forgets a producer after an hour, by its clock. */
const jumpMs = 900_000;

/** Each draws other faults in another order. */
const draws = 3;

export const chaos: readonly Row[] = Array.from({ length: draws }, (_, draw) => ({
  row: `63, draw ${draw + 1}`,
  name: "a minute in which everything goes wrong: nothing is lost, and no more runs twice than was killed",
  why: "faults meet, and one may undo the remedy of another",
  needs: "gcc",
  async run(world: World) {
    for (let skipped = 0; skipped < draw; skipped += 1) world.random();
    const shim = await ClockShim.create();
    world.defer(() => shim.remove());
    const server = await world.server({ appendonly: true, env: shim.env });
    const admin = adminOf(server);
    const proxy = await world.proxy(server);
    const load = await Load.start(world, {
      server,
      url: `redis://127.0.0.1:${proxy.port}`,
      perSecond: 150,
      // One that is cut off while it starts says so and ends.
      mayDie: true,
    });
    let offset = 0;
    let kills = 0;
    const faults: readonly (() => Promise<unknown> | void)[] = [
      () => {
        kills += 1;
        return load.fleet.pick(world.random()).kill();
      },
      () => server.restart(),
      () => proxy.dropReplies({ probability: 0.03, thenCut: true }),
      () => proxy.restore(),
      () => proxy.cut(),
      () => admin("config", "set", "maxmemory", 1),
      () => admin("config", "set", "maxmemory", 0),
      () => admin("script", "flush"),
      // Never far back: what was delayed by the clock ahead would wait for as long.
      () => shim.offset((offset += world.random() < 0.5 ? jumpMs : -2000)),
    ];
    const until = performance.now() + lastsMs;
    while (performance.now() < until) {
      await faults[Math.floor(world.random() * faults.length)]?.();
      await pause(200 + world.random() * 800);
    }
    await proxy.restore();
    await admin("config", "set", "maxmemory", 0);
    await load.fullStrength();
    const { duplicates } = await load.finish();
    ok(kills > 0);
    ok(duplicates <= kills * concurrency, `${duplicates} ran twice after ${kills} kills`);
  },
}));
