import { expect, test } from "vitest";
import { countRows, eventually, openBroker, openRaw, temporaryFile } from "../test/temporary.ts";

test("what is kept of broadcasts stays small, or it would use up the last room on a full disk", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  const heard: unknown[] = [];
  await broker.control.subscribe("big", ({ number }) => void heard.push(number));
  const text = "ä".repeat(30_000);
  const numbers = Array.from({ length: 40 }, (_, index) => index);
  for (const number of numbers) await broker.control.broadcast("big", { number, text });
  await eventually(() => heard.length >= numbers.length);
  expect(heard).toEqual(numbers);
  const raw = await openRaw(path);
  const { bytes } = raw.prepare("SELECT sum(octet_length(payload)) AS bytes FROM broadcast").get() as { bytes: number };
  expect(bytes).toBeGreaterThan(512 * 1024);
  expect(bytes).toBeLessThanOrEqual(1024 * 1024);
});

test("of small broadcasts the last five hundred are kept", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  await Promise.all(Array.from({ length: 600 }, (_, number) => broker.control.broadcast("small", { number })));
  expect(countRows(await openRaw(path), "broadcast")).toBe(500);
});
