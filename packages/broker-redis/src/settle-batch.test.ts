import { expect, test } from "vitest";
import { SettleBatch } from "./settle-batch.ts";

test("of a finished message it keeps where it is held, and not its text", () => {
  const batch = new SettleBatch();
  void batch.ack({ fence: 7, list: 1, text: "large", crashes: 0 });
  expect(batch.acks).toEqual([{ fence: 7, list: 1 }]);
  expect(batch.fences).toEqual([7]);
});
