import { join } from "node:path";
import { expect, test } from "vitest";
import { FixtureProcess, logLines, loggedIds } from "./child-process.ts";
import { eventually, openBroker, openRaw, take, temporaryFolder, wellFormed } from "./temporary.ts";

test("fifty SIGKILLs of processes that write leave the file whole, and nothing that was confirmed is lost", async () => {
  const folder = temporaryFolder();
  const [path, log] = [join(folder, "q.db"), join(folder, "log")];
  const lives = 50;
  const atOnce = 3;
  let started = 0;
  const liveAndDie = async (): Promise<void> => {
    while (started < lives) {
      started += 1;
      const before = logLines(log).length;
      const writer = new FixtureProcess("writer", [path, log]);
      // It is somewhere between two commits, or in one: a few more lines, and it is dead.
      await eventually(() => logLines(log).length > before + 20 + Math.random() * 200, 20_000);
      await writer.kill();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, liveAndDie));

  const raw = await openRaw(path);
  expect(raw.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);

  const broker = await openBroker(path);
  const { ready, delayed, inFlight } = await broker.inspector.stats("default");
  expect(inFlight).toBe(0);
  const left = await take(broker, (ready ?? 0) + (delayed ?? 0));
  const found = new Set([...loggedIds(log, "done"), ...left.map((delivery) => wellFormed(delivery).id)]);
  const sent = loggedIds(log, "sent");
  expect(sent.length).toBeGreaterThan(lives);
  expect(sent.filter((id) => !found.has(id))).toEqual([]);
  expect(new Set(left.map((delivery) => wellFormed(delivery).id)).size).toBe(left.length);
}, 120_000);

test("what a killed process held goes to another one within about a second", async () => {
  const folder = temporaryFolder();
  const [path, log] = [join(folder, "q.db"), join(folder, "log")];
  const broker = await openBroker(path);
  const count = 20;
  await broker.publish(
    Array.from({ length: count }, (_, index) => ({
      id: `m${index}`,
      queue: "default",
      priority: 0,
      headers: {},
      properties: { contentType: "application/json", contentEncoding: "utf-8" },
      body: Buffer.from("body"),
    })),
  );
  const holder = new FixtureProcess("holder", [path, log, count]);
  await eventually(() => logLines(log).includes("holding"));
  expect((await broker.inspector.stats("default")).inFlight).toBe(count);
  const recovered = take(broker, count);
  await holder.kill();
  const killedAt = performance.now();
  const deliveries = await recovered;
  expect(performance.now() - killedAt).toBeLessThan(1500);
  expect(deliveries.map((delivery) => wellFormed(delivery).id)).toEqual(
    Array.from({ length: count }, (_, index) => `m${index}`),
  );
  expect(new Set(deliveries.map(({ crashes }) => crashes))).toEqual(new Set([1]));
});
