import { equal } from "node:assert/strict";
import { readdir, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "@q/fault-kit";
import type { RedisServer } from "@q/test-servers";
import { Load } from "../load.ts";
import type { Row, World } from "../world.ts";

/** Redis puts off its writes to the file for two seconds, counted in whole ones, while the disk is busy with an fsync. */
const putOffMs = 3000;

const name = "Redis is killed three times: what was stored is still there, and workers go on within two seconds";

export const serverKilled: readonly Row[] = [
  {
    row: "13, appendfsync everysec",
    name,
    why: "an append-only file keeps what was answered, but for what Redis puts off, and not the answers that were under way",
    run: (world) => killServer(world, { fsync: "everysec", forgetsMs: putOffMs }),
  },
  {
    row: "13, appendfsync everysec, disk busy",
    name: "Redis is killed three times and loses what it had put off: nothing else is lost, and workers go on within two seconds",
    why: "Redis goes back to what it was, while its workers have gone on: they may hold what it does not know of",
    run: (world) => killServer(world, { fsync: "everysec", forgetsMs: putOffMs, putOffBytes: 100_000 }),
  },
  {
    row: "13, appendfsync always",
    name,
    why: "an append-only file keeps what was answered, but not the answers that were under way",
    run: (world) => killServer(world, { fsync: "always", forgetsMs: 0 }),
  },
];

interface Killing {
  readonly fsync: "everysec" | "always";
  /** How long before a kill an answer may be of something that the file does not have. */
  readonly forgetsMs: number;
  /** So many are missing at the end of the file: a good tenth of a second. */
  readonly putOffBytes?: number;
}

async function killServer(world: World, { fsync, forgetsMs, putOffBytes = 0 }: Killing): Promise<void> {
  const server = await world.server({ appendonly: true, args: ["--appendfsync", fsync] });
  const kills: number[] = [];
  const { history } = world;
  const isExcused = (id: string): boolean =>
    history.traces
      .get(id)
      ?.events.some(({ at }) => kills.some((killedAt) => at <= killedAt && killedAt - at < forgetsMs)) === true;
  const load = await Load.start(world, { server, isExcused });
  for (let kill = 0; kill < 3; kill += 1) {
    await server.kill();
    kills.push(Date.now());
    await cutFile(server, putOffBytes);
    await server.restart();
    const ready = Date.now();
    await eventually("workers go on", 4000, () => history.read().of("start", { since: ready }).length > 0);
    await load.allWork();
  }
  const { duplicates } = await load.finish();
  equal(duplicates, 0);
}

async function cutFile({ dir }: RedisServer, bytes: number): Promise<void> {
  const folder = join(dir, "appendonlydir");
  const file = (await readdir(folder)).find((entry) => entry.endsWith(".incr.aof"));
  if (file === undefined) throw new Error("expected an append-only file");
  const path = join(folder, file);
  await truncate(path, Math.max(0, (await stat(path)).size - bytes));
}
