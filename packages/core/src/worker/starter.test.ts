import { expect, test } from "vitest";
import type { Delivery, Outcome } from "../broker/delivery.ts";
import { defaultDecodeLimits } from "../celery-body.ts";
import { encodeMessage } from "../celery-codec.ts";
import { createApp } from "../index.ts";
import { plainCall } from "../message.ts";
import { Starter, type StarterOptions } from "./starter.ts";

test("a worker that stops ends the lease of a run that it does not begin before it gives the message back", async () => {
  const steps: string[] = [];
  const task = createApp({ queues: ["default"] }).instrumentedTask({ name: "sync" }, () => {});
  const lease = { release: async () => void steps.push("the lease ends") };
  const options: Pick<StarterOptions, "rules" | "isStopping" | "onSkipped"> = {
    rules: {
      worker: "w",
      tasks: new Map([["sync", task]]),
      limits: defaultDecodeLimits,
      maxCrashes: 3,
      parkForMs: 1000,
    },
    isStopping: () => true,
    onSkipped: () => steps.push("its slot is free"),
  };
  const starter = new Starter({
    ...options,
    surroundings: { clock: { now: Date.now }, logger: {} },
    overlap: { scheduleOf: () => "sync", admit: async () => ({ kind: "run", lease }) },
    duplicates: { tickOf: () => undefined },
  } as unknown as StarterOptions);
  const message = encodeMessage({ ...plainCall, id: "m", rootId: "m", task: "sync", queue: "default" });
  const delivery = {
    message,
    crashes: 0,
    lost: new AbortController().signal,
    settle: async ({ kind }: Outcome) => {
      steps.push(kind);
      return "settled";
    },
  };
  expect(starter.start(delivery as Delivery)).toBe(true);
  await expect.poll(() => steps).toEqual(["the lease ends", "release", "its slot is free"]);
});
