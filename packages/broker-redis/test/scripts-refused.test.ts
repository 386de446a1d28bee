import { RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { adopt } from "../src/scripts/adopt.ts";
import { claim } from "../src/scripts/claim.ts";
import { deadPage } from "../src/scripts/dead-page.ts";
import { drop } from "../src/scripts/drop.ts";
import { leave } from "../src/scripts/leave.ts";
import { publishOnce } from "../src/scripts/publish-once.ts";
import { purge } from "../src/scripts/purge.ts";
import { redrive } from "../src/scripts/redrive.ts";
import { stats } from "../src/scripts/stats.ts";
import { takeLanded } from "../src/scripts/take-landed.ts";
import { fireTick } from "../src/scripts/tick.ts";
import { Place, pushes, reason } from "./scripts-place.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

const hourMs = 3_600_000;
const entry = "0000000000000001";

/**
 * A queue with something everywhere: ready in each list, delayed, landed, held, started and under suspicion at `c`, held by `gone`, who will be known to be dead,
 * landed in a grave, and dead.
 */
async function fullPlace(): Promise<Place> {
  const place = await Place.open(server);
  const { connection, keys } = place;
  await place.publish(...pushes(10));
  for (const id of ["first", "gone", "left", "c"]) await place.enter(id);
  await place.claim("first", 1);
  await place.renew("nobody", "first");
  const [suspect] = await place.claim("c", 6);
  await place.settle("c", [
    { kind: "start", fence: suspect?.fence ?? 0, list: 0 },
    { kind: "bury", fence: 7, list: 0, reason },
  ]);
  await place.claim("gone", 1);
  await leave(connection, keys, "left");
  for (const id of ["c", "left"])
    await connection.call("lmove", keys.lists[0] ?? "", keys.landing(id, 0), "right", "left");
  await place.publish(...[0, 1, 2, 3].map((list) => ({ text: `in ${list}`, list, delayMs: 0 })));
  await place.publish(...pushes(2, { delayMs: hourMs }));
  const [due] = (await connection.call("zrange", keys.delayed, 0, 0)) as string[]; // what ZRANGE answers
  await connection.call("zadd", keys.delayed, 1, due ?? "");
  await connection.call("hset", keys.ticks, "nightly", 1000);
  return place;
}

type Run = (place: Place) => Promise<unknown>;

const once =
  (delayMs: number): Run =>
  ({ connection, keys }) =>
    publishOnce(connection, keys, {
      keyHash: "key",
      ttlMs: hourMs,
      attempt: "a",
      push: { text: "once", list: 0, delayMs },
      replicas: 0,
    });

const fire =
  (push: { readonly list: number; readonly text: string } | undefined): Run =>
  ({ connection, keys }) =>
    fireTick(connection, keys, { name: "nightly", at: 2000, elsewhere: undefined, push, replicas: 0 });

const settleEverything: Run = (place) =>
  place.settle(
    "c",
    [
      { kind: "ack", fence: 2, list: 0 },
      { kind: "start", fence: 3, list: 0 },
      { kind: "requeue", fence: 4, list: 0, delayMs: hourMs, text: "later" },
      { kind: "release", fence: 5, list: 0 },
      { kind: "bury", fence: 3, list: 0, reason },
    ],
    [{ fence: 6, list: 0 }],
  );

const lists = ["list 0", "list 1", "list 2", "list 3"];
const recovering = [...lists, "crashes", "delayed", "meta", "lease", "grave"];

type Uses = Readonly<Record<string, readonly [run: Run, keys: readonly string[]]>>;

/** The scripts that put something in, and the keys that they look at. */
const taking: Uses = {
  push: [(place) => place.publish(...pushes(2)), ["producer", "list 0"]],
  publish: [(place) => place.publish(...pushes(2), ...pushes(2, { list: 3 })), ["producer", "list 0", "list 3"]],
  "publish with delay": [
    (place) => place.publish(...pushes(2), ...pushes(2, { delayMs: hourMs })),
    ["producer", "list 0", "meta", "delayed"],
  ],
  "publish only with delay": [
    (place) => place.publish(...pushes(2, { delayMs: hourMs })),
    ["producer", "meta", "delayed"],
  ],
  "publish once": [once(0), ["once", "meta", "delayed", "list 0"]],
  "publish once with delay": [once(hourMs), ["once", "meta", "delayed", "list 0"]],
  fire: [fire({ list: 0, text: "tick" }), ["ticks", "list 0"]],
  "fire without a message": [fire(undefined), ["ticks"]],
  redrive: [
    ({ connection, keys }) => redrive(connection, keys, [{ entry, list: 0, text: "again" }]),
    ["dead", "dead-index", "meta", ...lists],
  ],
};

/** The scripts that deal with what is there. */
const working: Uses = {
  enter: [(place) => place.enter("c"), ["lease", "held"]],
  claim: [
    ({ connection, keys }) => claim(connection, keys, { id: "c", most: 5, lists: 4, lastFence: 0 }),
    ["lease", "meta", "delayed", "held", ...lists, "landing"],
  ],
  "take landed": [
    ({ connection, keys }) => takeLanded(connection, keys, { id: "c", list: 0, most: 5, lastFence: 0 }),
    ["lease", "meta", "held", "list 0", "landing"],
  ],
  adopt: [
    ({ connection, keys }) => adopt(connection, keys, { id: "c", most: 9, known: [] }),
    ["lease", "held", "crashes"],
  ],
  "settle acks": [
    (place) =>
      place.settle(
        "c",
        [],
        [
          { fence: 2, list: 0 },
          { fence: 3, list: 0 },
        ],
      ),
    ["lease", "held"],
  ],
  settle: [
    settleEverything,
    ["lease", "held", "started", "crashes", "meta", "delayed", "dead", "dead-index", ...lists],
  ],
  "settle start": [
    (place) => place.settle("c", [{ kind: "start", fence: 3, list: 0 }]),
    ["lease", "held", "started", "crashes", "meta"],
  ],
  renew: [(place) => place.renew("c", "gone"), recovering],
  leave: [({ connection, keys }) => leave(connection, keys, "c"), recovering],
  drop: [({ connection, keys }) => drop(connection, keys, [entry]), ["dead", "dead-index"]],
  purge: [({ connection, keys }) => purge(connection, keys), ["delayed", "lease", "grave", ...lists, "landing"]],
  stats: [({ connection, keys }) => stats(connection, keys), ["delayed", "meta", "dead", "lease", "grave", ...lists]],
  "dead page": [({ connection, keys }) => deadPage(connection, keys, { limit: 9, behind: undefined }), ["dead-index"]],
};

function keyOf({ keys }: Place, name: string): string {
  const [kind, index] = name.split(" ");
  if (kind === "list") return keys.lists[Number(index)] ?? "";
  const ofSomebody: Readonly<Record<string, string>> = {
    producer: keys.producer("p"),
    once: keys.once("key"),
    held: keys.held("c"),
    started: keys.started("c"),
    landing: keys.landing("c", 0),
    "dead-index": keys.deadIndex,
  };
  return ofSomebody[name] ?? `${keys.consumers}${name}`;
}

const uses = Object.entries({ ...taking, ...working }).flatMap(([name, [run, keys]]) =>
  keys.map((key) => ({ name, key, run })),
);

test.each(uses)("$name refuses a $key of another type and changes nothing", async ({ key, run }) => {
  const place = await fullPlace();
  const name = keyOf(place, key);
  await place.connection.call("del", name);
  // Of a type that no script reads as what it expects.
  if (["producer", "once"].includes(key)) await place.connection.call("rpush", name, "of another program");
  else await place.connection.call("set", name, "of another program");
  const before = await place.dump();
  await expect(run(place)).rejects.toMatchObject({ code: "Q1017" });
  expect(await place.dump()).toEqual(before);
  await place.connection.call("del", name);
  await run(place);
});

async function fillMemory({ connection }: Place): Promise<void> {
  await connection.call("config", "set", "maxmemory", 1);
  onTestFinished(async () => void (await server.command("config", "set", "maxmemory", 0)));
}

test.each(Object.entries(taking))("with memory full, %s is refused and changes nothing", async (_name, [run]) => {
  const place = await fullPlace();
  const before = await place.dump();
  await fillMemory(place);
  await expect(run(place)).rejects.toMatchObject({ code: "Q1016" });
  expect(await place.dump()).toEqual(before);
});

test.each(Object.entries(working))("with memory full, %s does the same as ever", async (_name, [run]) => {
  const [roomy, full] = [await fullPlace(), await fullPlace()];
  await run(roomy);
  await fillMemory(full);
  await run(full);
  const { now: _now, dueForMs: _due, ...expected } = await stats(roomy.connection, roomy.keys);
  expect(await stats(full.connection, full.keys)).toMatchObject(expected);
  expect([...(await full.dump()).keys()].map((key) => key.replace(full.keys.queue, ""))).toEqual(
    [...(await roomy.dump()).keys()].map((key) => key.replace(roomy.keys.queue, "")),
  );
});

test("with memory full, a queue is drained to the last message, also of those who died", async () => {
  const place = await fullPlace();
  await fillMemory(place);
  await place.renew("c", "gone");
  await leave(place.connection, place.keys, "c");
  await place.enter("last");
  const held = await place.claim("last", 100);
  await place.settle(
    "last",
    held.map(({ fence, list }) => ({ kind: "ack", fence, list })),
  );
  expect(await stats(place.connection, place.keys)).toMatchObject({ ready: 0, inFlight: 0, delayed: 1, dead: 1 });
});
