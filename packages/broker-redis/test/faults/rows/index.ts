import type { Row } from "../world.ts";
import { clockJumps } from "./clock-jumps.ts";
import { halfLost } from "./half-lost.ts";
import { handlerComputes } from "./handler-computes.ts";
import { idle, noHerd } from "./idle.ts";
import { killedInBetween } from "./killed-in-between.ts";
import { lateLanding } from "./late-landing.ts";
import { onceRace } from "./once-race.ts";
import { paused } from "./paused.ts";
import { poison } from "./poison.ts";
import { repliesLost } from "./replies-lost.ts";
import { rollingRestart } from "./rolling-restart.ts";
import { scriptsFlushed } from "./scripts-flushed.ts";
import { seenDead } from "./seen-dead.ts";
import { serverFrozen } from "./server-frozen.ts";
import { serverFull } from "./server-full.ts";
import { serverKilled } from "./server-killed.ts";
import { workerFrozen } from "./worker-frozen.ts";
import { workerKilled } from "./worker-killed.ts";
import { wrongType } from "./wrong-type.ts";

/** What every change must withstand, in a few minutes. */
export const rows: readonly Row[] = [
  workerKilled,
  workerFrozen,
  lateLanding,
  ...killedInBetween,
  seenDead,
  rollingRestart,
  ...serverKilled,
  serverFrozen,
  repliesLost,
  halfLost,
  serverFull,
  scriptsFlushed,
  wrongType,
  poison,
  handlerComputes,
  clockJumps,
  paused,
  onceRace,
  idle,
  noHerd,
];
