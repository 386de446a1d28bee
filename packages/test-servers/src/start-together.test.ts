import { expect, test } from "vitest";
import { startTogether } from "./start-together.ts";

test("when one cannot start, those that did are stopped, however late", async () => {
  let stopped = 0;
  const server = { stop: async () => void (stopped += 1) };
  const late = new Promise<typeof server>((resolve) => {
    setImmediate(() => resolve(server));
  });
  const failing = startTogether([Promise.resolve(server), Promise.reject(new Error("no port")), late]);
  await expect(failing).rejects.toThrow("no port");
  expect(stopped).toBe(2);
});
