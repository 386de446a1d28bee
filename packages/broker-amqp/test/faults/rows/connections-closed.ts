import { Load } from "../load.ts";
import type { Row, Site, World } from "../world.ts";

/** An operator, or a bug of the server, ends what all of us live on. */
function closed(row: string, words: Pick<Row, "name" | "why">, fault: (site: Site, load: Load) => Promise<void>): Row {
  return {
    row,
    ...words,
    withinMs: 180_000,
    async run(world: World) {
      const site = await world.site();
      const load = await Load.start(world, { site, mayRepeat: true });
      await fault(site, load);
      await load.allWork();
      await load.finish();
    },
  };
}

export const connectionsClosed: readonly Row[] = [
  closed(
    "32, close_all_connections",
    { name: "all connections are closed again and again: all come back", why: "operators do that to move clients" },
    async ({ admin }) => {
      for (let round = 0; round < 5; round += 1) await admin.closeAllConnections();
    },
  ),
  closed(
    "37, channels",
    {
      name: "every channel dies on the server, again and again: all is rebuilt",
      why: "a channel is gone with all that it consumed and had not confirmed, while its connection may go on",
    },
    async ({ admin }, load) => {
      for (let round = 0; round < 3; round += 1) {
        await admin.evaluate("[exit(Channel, kill) || Channel <- rabbit_channel:list_local()], ok");
        await load.allWork();
      }
    },
  ),
  closed(
    "37, missing exchange",
    {
      name: "the exchanges of delayed messages are deleted: they are there again, and so is what was sent through them",
      why: "a publish to an exchange that is missing closes the channel of everything beside it",
    },
    async ({ admin, vhost }, load) => {
      const name = (exchange: string): string => `rabbit_misc:r(<<"${vhost}">>, exchange, <<"${exchange}">>)`;
      const deleted = ["celery_delayed_27", "q.delay.500"].map(
        (exchange) => `rabbit_exchange:delete(${name(exchange)}, false, <<"test">>)`,
      );
      await admin.evaluate(deleted.join(", "));
      await load.allWork();
    },
  ),
];

export const nodeStopped: Row = closed(
  "32, stop_app",
  { name: "RabbitMQ stops on its node and starts again: all come back", why: "that is what an upgrade looks like" },
  async ({ admin }) => {
    await admin.stopApp();
    await admin.startApp();
  },
);
