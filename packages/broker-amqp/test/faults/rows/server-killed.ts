import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

/** The node ends, and comes back with its data. */
export function serverKilled(signal: "SIGKILL" | "SIGTERM"): Row {
  return {
    row: `30, ${signal}`,
    name: "the node ends and comes back: what it had confirmed is there, and workers go on within five seconds",
    why: "connections, channels and consumers are gone, and so are the confirms that were under way",
    withinMs: 180_000,
    async run(world) {
      const site = await world.site();
      const { server } = site;
      const load = await Load.start(world, { site, mayRepeat: true });
      const held = load.fleet.workers.length * 10;
      await site.admin.writeDownQueues();
      await server.kill(signal);
      await server.restart();
      const upAt = Date.now();
      await eventually("workers go on", 5000, () => load.history.read().of("start", { since: upAt }).length > 0);
      const { duplicates } = await load.finish();
      const unknown = load.history.of("err").filter(({ unknown: is }) => is === true).length;
      // What was running, and what was sent again because its confirm was lost with the connection.
      expect(duplicates).toBeLessThanOrEqual(held + unknown + 2 * 6);
    },
  };
}
