import type { Clock, Logger } from "@q/core/broker";
import type { Connection } from "./connection.ts";
import type { DeliveryTags } from "./envelope.ts";
import type { FailoverWatch } from "./failover-watch.ts";
import type { LocalDelays } from "./local-delays.ts";
import type { OutageLog } from "./outage-log.ts";
import type { Settings } from "./options.ts";
import type { Queues } from "./queues.ts";

/** What the parts of an open broker share. */
export interface Store {
  readonly settings: Settings;
  /** For everything that does not block. */
  readonly connection: Connection;
  /** For what is sent: the same, unless sends wait for replicas. */
  readonly publishing: Connection;
  readonly queues: Queues;
  readonly tags: DeliveryTags;
  readonly delays: LocalDelays;
  readonly failovers: FailoverWatch;
  readonly outages: OutageLog;
  readonly clock: Clock;
  readonly logger: Logger;
}
