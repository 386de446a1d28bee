import { testInterop } from "@q/celery-kit";
import { createApp } from "@q/core";
import { createBroker, testSettings } from "./redis-harness.ts";
import { lintEnvelopes } from "./wire/lint.ts";

testInterop({
  programs: ["redis-server"],
  once: true,
  start: (server) =>
    Promise.resolve({
      broker: server.url,
      createApp: (queues) =>
        // A lease that outlives a pause of the machine.
        createApp({ broker: createBroker({ ...testSettings(server.url, ""), leaseMs: 30_000 }), queues: [...queues] }),
      complaints: async (queue) => lintEnvelopes((await server.command("LRANGE", queue, 0, -1)) as string[]),
      stop: () => Promise.resolve(),
    }),
});
