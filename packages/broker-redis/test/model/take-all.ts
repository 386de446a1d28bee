import { claim } from "../../src/scripts/claim.ts";
import { enter } from "../../src/scripts/enter.ts";
import { leave } from "../../src/scripts/leave.ts";
import { renew } from "../../src/scripts/renew.ts";
import { settle } from "../../src/scripts/settle.ts";
import type { Census } from "./census.ts";
import { retention, rhythm } from "./client-steps.ts";
import { idOf, type QueueModel } from "./queue-model.ts";
import { forever, type World } from "./world.ts";

const id = "the last one@process";
/** Ends a run as every queue must be able to end: one consumer outlives all others and gets everything. Answers what it got, and what is left. */
export async function takeAll(model: QueueModel, world: World): Promise<{ ids: string[]; left: Census }> {
  const { connection, keys } = world;
  await world.setFull(false);
  await connection.call("hdel", keys.meta, "paused");
  await enter(connection, keys, { id, leaseMs: rhythm.leaseMs });
  const knownDead = model.inTurn("lease");
  const ids: string[] = [];
  // What killed its consumer comes later.
  for (const _ of ["what is due", "what was delayed"]) {
    world.jump(forever);
    await renew(connection, keys, { ...rhythm, id, knownDead });
    const claimed = await claim(connection, keys, { id, most: 1000, lists: model.lists, lastFence: 0 });
    const held = claimed?.held ?? [];
    ids.push(...held.map(({ text }) => idOf(String(text))));
    const endings = held.map(({ fence, list }) => ({ kind: "ack" as const, fence, list }));
    await settle(connection, keys, { consumerId: id, acks: [], endings, retention });
  }
  world.jump(forever);
  await renew(connection, keys, { ...rhythm, id, knownDead });
  await leave(connection, keys, id);
  return { ids, left: await world.census() };
}
