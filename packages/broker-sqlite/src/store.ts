import type { Clock, Logger } from "@q/core/broker";
import type { Bell } from "./bell.ts";
import type { Connection } from "./connection.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Queues } from "./queues.ts";
import type { Sequence } from "./sequence.ts";
import type { Session } from "./session.ts";
import type { Settler } from "./settle.ts";

/** What the parts of an open broker work with. */
export interface Store {
  readonly connection: Connection;
  readonly commits: GroupCommit;
  readonly sequence: Sequence;
  readonly queues: Queues;
  readonly session: Session;
  readonly settler: Settler;
  readonly bell: Bell;
  readonly clock: Clock;
  readonly logger: Logger;
}
