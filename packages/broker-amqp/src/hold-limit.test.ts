import { silentLogger } from "@q/core/broker";
import { expect, test } from "vitest";
import { HoldWatch, isHeldTooLong } from "./hold-limit.ts";

test("of messages that are held for long, each is named once", () => {
  const warned: unknown[] = [];
  const logger = {
    ...silentLogger,
    warn: (fields: { readonly message?: unknown }) => void warned.push(fields.message),
  };
  const watch = new HoldWatch({ ms: 1000, hint: "consumer_timeout" }, logger);
  const held = [900, 0, 100].map((heldSince) => ({ heldSince, describe: () => `since ${heldSince}` }));
  watch.look(held, 799);
  expect(warned).toEqual([]);
  watch.look(held, 950);
  watch.look(held, 960);
  expect(warned).toEqual(["since 0", "since 100"]);
});

test("a message may wait for a tenth of the limit", () => {
  const watch = new HoldWatch({ ms: 1000, hint: "consumer_timeout" }, silentLogger);
  const waiting = { heldSince: 200, describe: () => "waiting" };
  expect([299, 300].map((now) => watch.waitsTooLong(waiting, now))).toEqual([false, true]);
});

test("the server's words for a message that was held for too long are known", () => {
  const text =
    'Channel closed by server: 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 8000 ms."';
  expect(isHeldTooLong(new Error(text))).toBe(true);
  expect(isHeldTooLong(new Error("PRECONDITION_FAILED - unknown delivery tag 3"))).toBe(false);
});
