import { equal } from "node:assert/strict";
import { eventually } from "../eventually.ts";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const serverKilled: readonly Row[] = ["everysec", "always"].map((fsync) => ({
  row: `13, appendfsync ${fsync}`,
  name: "Redis is killed three times: what was stored is still there, and workers go on within two seconds",
  why: "an append-only file keeps what was answered, but not the answers that were under way",
  async run(world) {
    const server = await world.server({ appendonly: true, args: ["--appendfsync", fsync] });
    const load = await Load.start(world, { server });
    for (let kill = 0; kill < 3; kill += 1) {
      await server.kill();
      await server.restart();
      const ready = Date.now();
      await eventually("workers go on", 4000, () => load.history.read().of("start", { since: ready }).length > 0);
      await load.allWork();
    }
    const { duplicates } = await load.finish();
    equal(duplicates, 0);
  },
}));
