import { createHash } from "node:crypto";
import { createApp } from "@q/core";
import { silentLogger } from "@q/core/broker";
import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { createBroker, testSettings } from "../../redis-harness.ts";
import { queue } from "../load.ts";
import type { Row } from "../world.ts";
import { residentBytes } from "./resident-bytes.ts";

const megabyte = 2 ** 20;
const largest = 16 * megabyte;
const hashOf = (text: string): string => createHash("sha1").update(text).digest("hex");

export const largeMessages: readonly Row[] = [
  {
    row: "52, sizes",
    name: "arguments of one byte to 16 MB arrive as they were sent; what is over the limit never leaves the sender",
    why: "a message that no worker reads must not fill Redis first",
    async run(world) {
      const server = await world.server();
      const broker = createBroker({ ...testSettings(server.url, ""), leaseMs: 30_000, timeoutMs: 20_000 });
      const app = createApp({ broker, queues: ["default"], maxMessageSize: largest, logger: silentLogger });
      world.defer(() => app.close());
      const arrived: string[] = [];
      const keep = app.instrumentedTask(
        { name: "keep" },
        ({ text }: { text: string }) => void arrived.push(hashOf(text)),
      );
      const worker = app.createWorker({ maxMessageBytes: 2 * largest });
      await worker.start();
      const texts = [1, 1000, 65_536, megabyte, largest - 100].map((size) => "ü€x"[size % 3]?.repeat(size) ?? "");
      const fit = texts.filter((text) => Buffer.byteLength(text) < largest - 50);
      for (const text of fit) await keep.delay({ text });
      await eventually("all have arrived", 60_000, () => arrived.length === fit.length);
      expect(arrived.toSorted()).toEqual(fit.map(hashOf).toSorted());
      await expect(keep.delay({ text: "x".repeat(largest) })).rejects.toMatchObject({ code: "Q3003" });
      const before = /total_net_input_bytes:(\d+)/.exec(String(await server.command("info", "stats")))?.[1];
      await expect(keep.delay({ text: "x".repeat(largest) })).rejects.toMatchObject({ code: "Q3003" });
      const after = /total_net_input_bytes:(\d+)/.exec(String(await server.command("info", "stats")))?.[1];
      expect(Number(after) - Number(before)).toBeLessThan(megabyte);
      await worker.stop();
    },
  },
  {
    row: "52, many",
    name: "two hundred messages of a megabyte wait: a worker has no more of them in memory than it runs",
    why: "what is taken ahead counts in bytes too",
    async run(world) {
      const server = await world.server();
      const { history } = world;
      const app = { maxMessageSize: 2 * megabyte };
      const place = { url: server.url, queue, app };
      const tasks = { retryEvery: 0, delayEvery: 0, mostMs: 100, padBytes: megabyte - 1000 };
      const producer = world.start("producer", { ...place, name: "p", count: 200, burst: 4, perSecond: 1000, tasks });
      await eventually("all are stored", 60_000, () => !producer.isRunning);
      expect(history.read().of("ok")).toHaveLength(200);
      const worker = world.start("worker", { ...place, options: { maxMessageBytes: 2 * megabyte } });
      let most = 0;
      await eventually("all are done", 180_000, () => {
        if (worker.isRunning) most = Math.max(most, residentBytes(worker.pid));
        return history.read().of("acked").length === 200;
      });
      expect(worker.failure).toBeUndefined();
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThan(400 * megabyte);
      await worker.stop();
    },
  },
];
