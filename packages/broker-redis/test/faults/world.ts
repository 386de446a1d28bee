import { World as FaultWorld, type Row as FaultRow, type WorldOptions } from "@q/fault-kit";
import { RedisServer, type RedisServerOptions } from "@q/test-servers";

export type Row = FaultRow<World>;

const adapter = {
  module: new URL("../../dist/index.js", import.meta.url).href,
  factory: "redis",
  // Every test server is without an append-only file.
  expectedWarnings: /append-only file/,
};

/** A world with Redis servers. */
export class World extends FaultWorld {
  constructor(options: WorldOptions) {
    super(adapter, options);
  }

  async server(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = await RedisServer.start(options);
    this.defer(() => server.stop());
    return server;
  }
}
