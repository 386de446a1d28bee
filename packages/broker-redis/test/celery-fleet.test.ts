import { testMixedFleet } from "@q/celery-kit";
import { createApp } from "@q/core";
import { createBroker, testSettings } from "./redis-harness.ts";

/** Celery's `global_keyprefix`, which is ours as well. */
const prefix = "fleet-of-two.";

testMixedFleet({
  programs: ["redis-server"],
  start: (server) =>
    Promise.resolve({
      celery: { broker: server.url, prefix },
      ours: {
        module: new URL("../dist/index.js", import.meta.url).href,
        factory: "redis",
        options: { url: server.url, prefix },
      },
      createApp: () => createApp({ broker: createBroker(testSettings(server.url, prefix)), queues: ["fleet"] }),
      held: async () =>
        Number(await server.command("LLEN", `${prefix}fleet`)) +
        Number(await server.command("HLEN", `${prefix}unacked`)),
      stop: () => Promise.resolve(),
    }),
});
