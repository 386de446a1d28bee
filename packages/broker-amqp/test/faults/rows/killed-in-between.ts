import { killAfterClaim, killAfterRun, killBeforeAnswer } from "@q/fault-kit";
import { atHand, Load, urlThrough } from "../load.ts";
import type { Row, World } from "../world.ts";

const calm = { workers: 2, perSecond: 100 };

/** The moments in which one side knows more than the other. */
export const killedInBetween: readonly Row[] = [
  {
    row: "8, claim and start",
    name: "workers are killed when they have got a message, before it starts: it runs once",
    why: "RabbitMQ has given it away, and nobody has begun",
    async run(world: World) {
      await killAfterClaim(await Load.start(world, { site: await world.site(), ...calm }));
    },
  },
  {
    row: "8, end and acknowledgement",
    name: "workers are killed when a task has ended, before they can say so: it runs once more, and not again",
    why: "the work is done, and RabbitMQ does not know",
    async run(world: World) {
      const site = await world.site();
      await killAfterRun(await Load.start(world, { site, ...calm, mayDie: true, mayRepeat: true }), atHand);
    },
  },
  {
    row: "8, store and answer",
    name: "a producer is killed after its messages were stored, before it hears so: they run once",
    why: "nobody is left to ask whether they were stored",
    async run(world: World) {
      const site = await world.site();
      const proxy = await world.proxy(site.server);
      await killBeforeAnswer(await Load.start(world, { site, ...calm }), proxy, urlThrough(proxy, site));
    },
  },
];
