import { expect, test } from "vitest";
import type { Broker, Consumer } from "../broker/broker.ts";
import type { Delivery } from "../broker/delivery.ts";
import { silentLogger } from "../logger.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { Intake } from "./intake.ts";
import { Prefetch } from "./prefetch.ts";
import { Slots } from "./slots.ts";

type Consume = Broker["consume"];

function delivery(): Delivery {
  return {
    crashes: 0,
    message: { queue: "q", raw: new Uint8Array(), malformed: "" },
    lost: new AbortController().signal,
    start: () => Promise.resolve("settled"),
    settle: () => Promise.resolve("settled"),
  };
}

/** An intake on a broker of which only `consume` is there. */
function setUp(consume: Consume) {
  const clock = new FakeClock();
  const released: Delivery[] = [];
  const started: Delivery[] = [];
  const slots = new Slots(
    1,
    (one) => {
      started.push(one);
      return true;
    },
    () => {},
  );
  const intake = new Intake({
    broker: { consume } as Broker,
    queues: ["q"],
    prefetch: new Prefetch(1, 0),
    slots,
    clock,
    logger: silentLogger,
    release: async (one) => released.push(one),
  });
  return { clock, intake, released, started };
}

function consumer(onStop: () => void): Consumer {
  return { heardAt: 7, resize: () => {}, stop: async () => onStop() };
}

test("a broker that does not answer when asked for a consumer cannot keep it from closing", async () => {
  let stops = 0;
  let answer = (): void => {};
  let handOut: (one: Delivery) => void = () => {};
  const { clock, intake, released, started } = setUp((_queues, _options, onDelivery) => {
    handOut = onDelivery;
    return new Promise((resolve) => (answer = () => resolve(consumer(() => (stops += 1)))));
  });
  void intake.open();
  await clock.advance(0);
  let isClosed = false;
  void intake.close().then(() => (isClosed = true));
  await clock.advance("10s");
  expect(isClosed).toBe(true);
  // The answer comes after all: nobody wants it any more.
  answer();
  handOut(delivery());
  await clock.advance(0);
  expect([stops, released.length, started.length]).toEqual([1, 1, 0]);
});

test("one that could not be opened stands still, so that the watchdog tries again", async () => {
  let isDown = false;
  const { intake } = setUp(async () => {
    if (isDown) throw new Error("down");
    return consumer(() => {});
  });
  await intake.open();
  expect(intake.heardAt).toBe(7);
  await intake.close();
  expect(intake.heardAt).toBeUndefined();
  isDown = true;
  await expect(intake.open()).rejects.toThrow("down");
  expect(intake.heardAt).toBe(7);
});
