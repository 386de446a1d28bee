import type { Clock, Logger } from "@q/core/broker";
import type { Connection } from "./connection.ts";
import type { Locks } from "./locks.ts";
import type { Marks } from "./marks.ts";
import type { Settings } from "./options.ts";
import type { Outboxes } from "./outboxes.ts";
import type { Publisher } from "./publisher.ts";
import type { Topology } from "./topology.ts";

/** What the parts of an open broker share. */
export interface Store {
  readonly settings: Settings;
  /** For what is published. RabbitMQ reads nothing from it while it is short of memory or disk. */
  readonly connection: Connection;
  /** For everything else, so that it goes on meanwhile. Opened for whoever asks first. */
  readonly quiet: () => Promise<Connection>;
  /** To read what lies in queues of ours: nothing is lost when one of them gives no answer there, and the connection ends. */
  readonly reading: () => Promise<Connection>;
  /** One more, for a queue that must not share the others' fate. It ends with the broker. */
  readonly connect: (name: string) => Promise<Connection>;
  /** Queues that have given no answer: whoever consumes one does so on a connection of its own. */
  readonly apart: Set<string>;
  readonly topology: Topology;
  readonly outbox: Outboxes;
  readonly publisher: Publisher;
  readonly locks: Locks;
  readonly marks: Marks;
  readonly clock: Clock;
  readonly logger: Logger;
}
