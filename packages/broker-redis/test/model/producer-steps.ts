import * as fc from "fast-check";
import { publishOnce } from "../../src/scripts/publish-once.ts";
import { publish, type Push } from "../../src/scripts/publish.ts";
import { publish as modelPublish, publishOnce as modelPublishOnce, pushBytes } from "./producing.ts";
import type { Batch, Once, QueueModel } from "./queue-model.ts";
import { steps, type Plan, type Step } from "./step.ts";
import { onceKeys, producers, tickMs } from "./world.ts";

/** None near a multiple of the clock's jumps. */
export const delays: fc.Arbitrary<number> = fc.constantFrom(
  ...[0, 0, 0, 0, 0, 0.5, 1.5, 2.5].map((ticks) => ticks * tickMs),
);
const onceTtlMs = 1.5 * tickMs;

interface Draft {
  readonly list: number;
  readonly delayMs: number;
  /** Whether it is the same as the one before, to the last byte. */
  readonly isTwin: boolean;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  list: fc.nat(3),
  delayMs: delays,
  isTwin: fc.integer({ min: 0, max: 9 }).map((luck) => luck === 9),
});

function pushesOf(model: QueueModel, drafts: readonly Draft[]): Push[] {
  const pushes: Push[] = [];
  for (const { list, delayMs, isTwin } of drafts) {
    const twin = isTwin ? pushes.at(-1)?.text : undefined;
    const text = twin ?? `m${model.named + pushes.length + 1} für dich`;
    pushes.push({ text, delayMs, list: list % model.lists });
  }
  return pushes;
}

function send(model: QueueModel, batch: Batch): Plan {
  const { producer, ...rest } = batch;
  return {
    real: ({ connection, keys, unlessFull }) =>
      unlessFull(publish(connection, keys, { ...rest, producer, replicas: 0 })),
    model: () => {
      model.batches.set(producer, batch);
      model.named += batch.pushes.length;
      return modelPublish(model, batch);
    },
  };
}

const publishing = steps(
  "publish",
  fc.record({ producer: fc.constantFrom(...producers), drafts: fc.array(draft, { minLength: 1, maxLength: 5 }) }),
  (model, { producer, drafts }) => {
    const sequence = (model.batches.get(producer)?.sequence ?? 0) + 1;
    return send(model, { producer, sequence, pushes: pushesOf(model, drafts) });
  },
);

const publishingAgain = steps("publish again", fc.constantFrom(...producers), (model, producer) => {
  const batch = model.batches.get(producer);
  return batch === undefined ? undefined : send(model, batch);
});

function sendOnce(model: QueueModel, { key, ...rest }: Once): Plan {
  return {
    real: ({ connection, keys, unlessFull }) =>
      unlessFull(publishOnce(connection, keys, { ...rest, keyHash: key, replicas: 0 })),
    model: () => {
      model.onces.set(key, { ...rest, key });
      model.named += 1;
      return modelPublishOnce(model, { ...rest, key });
    },
  };
}

const publishingOnce = steps(
  "publish once",
  fc.record({ key: fc.constantFrom(...onceKeys), draft }),
  (model, { key, draft: one }) => {
    const [push] = pushesOf(model, [one]);
    if (push === undefined) return undefined;
    return sendOnce(model, { key, attempt: `attempt-${model.named}`, ttlMs: onceTtlMs, push });
  },
);

const publishingOnceAgain = steps("publish once again", fc.constantFrom(...onceKeys), (model, key) => {
  const once = model.onces.get(key);
  return once === undefined ? undefined : sendOnce(model, once);
});

/** By another program, and no text. */
const foreignPush = steps("foreign push", fc.nat(3), (model, number) => {
  const list = number % model.lists;
  const bytes = `m${model.named + 1} \xff\xfe`;
  return {
    real: ({ connection, keys, unlessFull }) =>
      unlessFull(connection.call("lpush", keys.lists[list] ?? "", Buffer.from(bytes, "latin1")).then(() => undefined)),
    model: () => {
      model.named += 1;
      return pushBytes(model, list, bytes);
    },
  };
});

/** Whatever puts messages in. */
export const producerSteps: readonly fc.WeightedArbitrary<Step>[] = [
  { weight: 14, arbitrary: publishing },
  { weight: 2, arbitrary: publishingAgain },
  { weight: 4, arbitrary: publishingOnce },
  { weight: 2, arbitrary: publishingOnceAgain },
  { weight: 3, arbitrary: foreignPush },
];
