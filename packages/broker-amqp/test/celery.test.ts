import { testInterop } from "@q/celery-kit";
import { createApp } from "@q/core";
import { amqp } from "../src/index.ts";
import { newVhost } from "./shared-node.ts";

testInterop({
  programs: ["rabbitmq-server", "redis-server"],
  once: false,
  async start() {
    const { url } = await newVhost("celery");
    return {
      broker: url,
      createApp: (queues) => {
        const shared = Object.fromEntries(queues.map((queue) => [queue, { shared: "celery" as const }]));
        return createApp({ broker: amqp({ url, queues: shared }), queues: [...queues] });
      },
      stop: () => Promise.resolve(),
    };
  },
});
