import { systemClock, type Clock } from "@q/core/broker";
import { expect, test } from "vitest";
import { countRows, eventually, openBroker, openRaw, temporaryFile } from "../test/temporary.ts";

/** The machine's clock, and the timers of it that are set. */
function countingClock(): { readonly clock: Clock; readonly timers: Set<unknown> } {
  const timers = new Set<unknown>();
  const clock: Clock = {
    ...systemClock,
    setTimer(delayMs, callback, options) {
      const fire = (): void => {
        timers.delete(timer);
        callback();
      };
      const set = systemClock.setTimer(delayMs, fire, options);
      const timer = {
        cancel: () => {
          timers.delete(timer);
          set.cancel();
        },
      };
      timers.add(timer);
      return timer;
    },
  };
  return { clock, timers };
}

test.each([0, 1, 2, 3])(
  "a consumer that begins while the broker closes ends with it: %i turns later",
  async (turns) => {
    const path = temporaryFile();
    const { clock, timers } = countingClock();
    const broker = await openBroker(path, { internals: { clock } });
    const consuming = broker.consume(["default"], { prefetch: 1 }, () => undefined).catch(() => undefined);
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await broker.close();
    await consuming;
    await eventually(() => timers.size === 0, 2000);
    const raw = await openRaw(path);
    expect(["session", "consumer"].map((table) => countRows(raw, table))).toEqual([0, 0]);
  },
);
