import type { Row } from "../world.ts";
import { alarm } from "./alarm.ts";
import { connectionsClosed } from "./connections-closed.ts";
import { consumerTimeout } from "./consumer-timeout.ts";
import { deliveryLimit } from "./delivery-limit.ts";
import { handlerThrows } from "./handler-throws.ts";
import { killedInBetween } from "./killed-in-between.ts";
import { poison } from "./poison.ts";
import { queueDeleted, queueOtherwise } from "./queue-deleted.ts";
import { rollingRestart } from "./rolling-restart.ts";
import { unroutable } from "./unroutable.ts";
import { workersKilled } from "./worker-killed.ts";

/** What every change must withstand, in a few minutes. */
export const rows: readonly Row[] = [
  workersKilled("quorum", 5),
  ...killedInBetween,
  rollingRestart,
  poison,
  ...connectionsClosed,
  alarm,
  consumerTimeout,
  queueDeleted,
  queueOtherwise,
  handlerThrows,
  unroutable,
  deliveryLimit,
];
