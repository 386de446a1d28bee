import * as fc from "fast-check";
import { adopt } from "../../src/scripts/adopt.ts";
import { claim, type Held } from "../../src/scripts/claim.ts";
import { enter } from "../../src/scripts/enter.ts";
import { leave } from "../../src/scripts/leave.ts";
import { renew } from "../../src/scripts/renew.ts";
import { settle, type Ending, type Retention } from "../../src/scripts/settle.ts";
import { takeLanded } from "../../src/scripts/take-landed.ts";
import * as consuming from "./consuming.ts";
import { delays } from "./producer-steps.ts";
import { idOf, type Client, type QueueModel } from "./queue-model.ts";
import * as recovering from "./recovering.ts";
import { steps, type Plan, type Step } from "./step.ts";
import { tickMs } from "./world.ts";

/** Three and a half jumps of the clock. Who beats at every jump is heard often enough, who skips one is not. */
export const rhythm: recovering.Rhythm = { leaseMs: 3.5 * tickMs, silenceMs: 1.5 * tickMs, crashDelayMs: 22_000 };
export const retention: Retention = { maxAgeMs: 20.5 * tickMs, maxCount: 2 };
const reason = { code: "failed", message: "gave up: naïve" };

const mostConsumers = 3;

/** Whose turn it is: somebody alive, or the last one who died and does not know it. */
const who = fc.nat(mostConsumers);

function clientOf(model: QueueModel, number: number): Client | undefined {
  const alive = model.clients.filter(({ id }) => model.hasLease(id));
  const dead = model.clients.filter(({ id }) => !model.hasLease(id));
  const candidates = [...alive, ...dead.slice(-1)];
  return candidates[number % candidates.length];
}

const entering = steps("enter", fc.constant("now"), (model) => {
  if (model.inTurn("lease").length >= mostConsumers) return undefined;
  const number = model.clients.length + 1;
  const id = `c${number}@process${number % 2}`;
  return {
    real: ({ connection, keys }) => enter(connection, keys, { id, leaseMs: rhythm.leaseMs }),
    model: () => {
      if (model.clients.at(-1)?.id !== id) model.clients.push({ id, known: new Map() });
      return consuming.enter(model, id, rhythm.leaseMs);
    },
  };
});

const claiming = steps(
  "claim",
  fc.record({ number: who, most: fc.nat(5), isHeard: fc.integer({ min: 0, max: 3 }).map((luck) => luck > 0) }),
  (model, { number, most, isHeard }) => {
    const client = clientOf(model, number);
    if (client === undefined) return undefined;
    const { id, known } = client;
    return {
      real: async ({ connection, keys }) => {
        const claimed = await claim(connection, keys, { id, most, lists: model.lists, lastFence: 0 });
        if (claimed === undefined) return undefined;
        const { held, paused, nextDueAt } = claimed;
        return { held, paused, nextDueAt };
      },
      model: () => {
        const claimed = consuming.claim(model, id, most);
        if (isHeard) for (const held of claimed?.held ?? []) known.set(held.fence, held);
        return claimed;
      },
    };
  },
);

const adopting = steps("adopt", fc.record({ number: who, most: fc.nat(3) }), (model, { number, most }) => {
  const client = clientOf(model, number);
  if (client === undefined) return undefined;
  const { id, known } = client;
  const before = new Set(known.keys());
  return {
    real: ({ connection, keys }) => adopt(connection, keys, { id, most, known: before }),
    model: () => {
      const found = consuming.adopt(model, { id, most, known: before });
      for (const held of found ?? []) known.set(held.fence, held);
      return found;
    },
  };
});

interface Pick {
  /** Which of those that it believes to hold. */
  readonly nth: number;
  readonly kind: Ending["kind"];
  readonly delayMs: number;
}

const pick: fc.Arbitrary<Pick> = fc.record({
  nth: fc.nat(5),
  kind: fc.constantFrom("ack", "start", "start", "requeue", "release", "bury", "bury"),
  delayMs: delays,
});

/** For another try. What is no text goes back as it is stored. */
function again(text: string | Buffer, fence: number): string {
  return typeof text === "string" ? `${idOf(text)} after ${fence}` : "";
}

const settling = steps(
  "settle",
  fc.record({ number: who, picks: fc.array(pick, { minLength: 1, maxLength: 4 }) }),
  (model, { number, picks }) => {
    const withWork = model.clients.filter(({ known }) => known.size > 0);
    const client = withWork.at(-1 - (number % Math.max(1, withWork.length)));
    if (client === undefined) return undefined;
    const { id, known } = client;
    const acks: Held[] = [];
    const endings: Ending[] = [];
    for (const { nth, kind, delayMs } of picks) {
      const held = [...known.values()][nth % known.size];
      if (held === undefined) continue;
      const { fence, list, text, crashes } = held;
      // Only what is under suspicion is started, and only that has something to be forgiven.
      if (crashes === 0 && (kind === "ack" || kind === "start")) acks.push(held);
      else if (kind === "requeue") endings.push({ kind, fence, list, delayMs, text: again(text, fence) });
      else if (kind === "bury") endings.push({ kind, fence, list, reason });
      else endings.push({ kind, fence, list });
    }
    const batch = { consumerId: id, acks, endings, retention };
    return {
      real: ({ connection, keys }) => settle(connection, keys, batch),
      model: () => {
        for (const { fence } of acks) known.delete(fence);
        for (const { kind, fence } of endings) if (kind !== "start") known.delete(fence);
        return consuming.settle(model, batch);
      },
    };
  },
);

function beat(model: QueueModel, id: string, knownDead: readonly string[]): Plan {
  const beating = { ...rhythm, id, knownDead };
  return {
    real: async ({ connection, keys }) => {
      const { alive, recovered, consumers } = await renew(connection, keys, beating);
      return { alive, recovered, consumers: consumers.toSorted() };
    },
    model: () => recovering.renew(model, beating),
  };
}

const renewing = steps("renew", who, (model, number) => {
  const client = clientOf(model, number);
  return client === undefined ? undefined : beat(model, client.id, []);
});

/** Somebody dies, maybe of what it has just started, and somebody sees that the process is gone. */
const crashing = steps(
  "crash",
  fc.record({ number: who, victim: fc.nat(mostConsumers), hasStarted: fc.boolean() }),
  (model, { number, victim: nth, hasStarted }) => {
    const client = clientOf(model, number);
    const others = model.clients.filter((one) => one !== client && model.hasLease(one.id));
    const working = others.filter(({ known }) => known.size > 0);
    const victim = [...others, ...working, ...working].at(-1 - nth);
    if (client === undefined || victim === undefined) return undefined;
    const suspects = [...victim.known.values()].filter(({ crashes }) => hasStarted && crashes > 0);
    const endings = suspects.map(({ fence, list }) => ({ kind: "start" as const, fence, list }));
    const started = { consumerId: victim.id, acks: [], endings, retention };
    const seen = beat(model, client.id, [victim.id]);
    return {
      real: async (world) => [await settle(world.connection, world.keys, started), await seen.real(world)],
      model: () => [consuming.settle(model, started), seen.model()],
    };
  },
);

/** Time goes on, and everybody is heard, maybe but one. */
const beating = steps("beats", fc.nat(2 * mostConsumers), (model, silent) => {
  const beats = model
    .inTurn("lease")
    .filter((_, at) => at !== silent)
    .map((id) => beat(model, id, []));
  return {
    real: async (world) => {
      world.jump(1);
      const answers: unknown[] = [];
      for (const { real } of beats) answers.push(await real(world));
      return answers;
    },
    model: () => {
      model.since += tickMs;
      return beats.map((plan) => plan.model());
    },
  };
});

const leaving = steps("leave", who, (model, number) => {
  const client = clientOf(model, number);
  if (client === undefined) return undefined;
  return {
    real: ({ connection, keys }) => leave(connection, keys, client.id),
    model: () => consuming.leave(model, client.id),
  };
});

/** A wait of somebody who lives, or died not long ago. */
const landing = steps("land", fc.record({ number: fc.nat(5), list: fc.nat(3) }), (model, { number, list: drawn }) => {
  const ids = [...model.inTurn("lease"), ...model.inTurn("grave")];
  const id = ids[number % ids.length];
  const list = drawn % model.lists;
  if (id === undefined) return undefined;
  return {
    real: ({ connection, keys, unlessFull }) =>
      unlessFull(connection.call("lmove", keys.lists[list] ?? "", keys.landing(id, list), "right", "left")),
    model: () => consuming.land(model, { id, list }),
  };
});

/** What stands behind a wait, whether or not that has brought something. */
const takingLanded = steps(
  "take landed",
  fc.record({
    number: who,
    list: fc.nat(3),
    most: fc.integer({ min: 1, max: 4 }),
    isHeard: fc.integer({ min: 0, max: 3 }).map((luck) => luck > 0),
  }),
  (model, { number, list: drawn, most, isHeard }) => {
    const client = clientOf(model, number);
    if (client === undefined) return undefined;
    const { id, known } = client;
    const list = drawn % model.lists;
    return {
      real: ({ connection, keys }) => takeLanded(connection, keys, { id, list, most, lastFence: 0 }),
      model: () => {
        const taken = consuming.takeLanded(model, { id, list, most });
        if (isHeard) for (const held of taken?.held ?? []) known.set(held.fence, held);
        return taken;
      },
    };
  },
);

/** Whatever consumers do. */
export const clientSteps: readonly fc.WeightedArbitrary<Step>[] = [
  { weight: 8, arbitrary: entering },
  { weight: 26, arbitrary: claiming },
  { weight: 5, arbitrary: adopting },
  { weight: 30, arbitrary: settling },
  { weight: 6, arbitrary: renewing },
  { weight: 20, arbitrary: crashing },
  { weight: 6, arbitrary: beating },
  { weight: 2, arbitrary: leaving },
  { weight: 6, arbitrary: landing },
  { weight: 6, arbitrary: takingLanded },
];
