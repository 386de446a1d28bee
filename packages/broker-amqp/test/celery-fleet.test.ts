import { testMixedFleet } from "@q/celery-kit";
import { createApp } from "@q/core";
import { amqp } from "../src/index.ts";
import { newVhost } from "./shared-node.ts";

testMixedFleet({
  programs: ["rabbitmq-server", "redis-server"],
  async start() {
    const vhost = "celery-fleet";
    const { url, admin } = await newVhost(vhost);
    const options = { url, queues: { fleet: { shared: "celery" as const } } };
    return {
      celery: { broker: url },
      ours: { module: new URL("../dist/index.js", import.meta.url).href, factory: "amqp", options },
      createApp: () => createApp({ broker: amqp(options), queues: ["fleet"] }),
      async held() {
        const queue = (await admin.queues(vhost)).find(({ name }) => name === "fleet");
        return queue === undefined ? Number.NaN : queue.ready + queue.unacknowledged;
      },
      stop: () => Promise.resolve(),
    };
  },
});
