import { fileURLToPath } from "node:url";
import type { MutantPlace, Mutation } from "@q/fault-kit";
import type { Row } from "../world.ts";
import { lateLanding } from "../rows/late-landing.ts";
import { repliesLost } from "../rows/replies-lost.ts";
import { serverFrozen } from "../rows/server-frozen.ts";
import { serverFull } from "../rows/server-full.ts";
import { workerFrozen } from "../rows/worker-frozen.ts";

/** A mutation, and the row that must see it. */
export interface SeenMutation extends Mutation {
  readonly seenBy: Row;
  /** How that row fails. */
  readonly seenAs: RegExp;
}

/** What mutants are made of. */
export const place: MutantPlace = {
  folder: fileURLToPath(new URL("../../..", import.meta.url)),
  entries: ["index.ts", "lease-thread.ts"],
};

export const mutations: readonly SeenMutation[] = [
  {
    name: "everybody may be taken for dead right after Redis was away",
    file: "scripts/renew.ts",
    from: "if wentBack or now - last > tonumber(ARGV[3]) then",
    to: "if false then",
    seenBy: serverFrozen,
    seenAs: /expected \d+ to be \+?0/,
  },
  {
    name: "a worker without a lease may end messages",
    file: "scripts/settle.ts",
    from: "if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {-1} end",
    to: "",
    seenBy: workerFrozen,
    seenAs: /acknowledged|ackedTwice|greater than 0/,
  },
  {
    name: "nobody looks for what a lost answer has brought",
    file: "holder.ts",
    from: "await adopt(connection, this.keys, { id: incarnation.id, most, known: incarnation.held })",
    to: "[]",
    seenBy: repliesLost,
    seenAs: /the queue is empty|every worker works/,
  },
  {
    name: "a batch that is sent again is stored again",
    file: "scripts/publish.ts",
    from: "if tonumber(ARGV[1]) <= tonumber(redis.call('GET', KEYS[1]) or '0') then",
    to: "if false then",
    seenBy: repliesLost,
    seenAs: /ackedTwice|to be \+?0/,
  },
  {
    name: "a worker enters with a write that needs memory",
    file: "scripts/enter.ts",
    from: "redis.call('HDEL', KEYS[2], '')\nredis.call('DEL', KEYS[4])\n",
    to: "",
    seenBy: serverFull,
    seenAs: /every worker is ready/,
  },
  {
    name: "nobody looks into the graves",
    file: "scripts/renew.ts",
    from: "local graves = redis.call('ZRANGEBYSCORE', KEYS[9], '-inf', '(+inf', 'WITHSCORES', 'LIMIT', first, ${looksAtOnce})",
    to: "local graves = {}",
    seenBy: lateLanding,
    seenAs: /the late message ran/,
  },
];
