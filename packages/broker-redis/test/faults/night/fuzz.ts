import { setImmediate } from "node:timers/promises";
import { createApp } from "@q/core";
import { silentLogger } from "@q/core/broker";
import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { decodeBytes, reencodeEnvelope } from "../../../src/envelope.ts";
import { createBroker, testSettings } from "../../redis-harness.ts";
import { readCaptured } from "../../wire/captured.ts";
import type { Row, World } from "../world.ts";

const inMemory = 1_000_000;
const onTheWire = 20_000;
/** Longest that one of them may take. */
const mostMs = 50;

/** What makes a decoder stumble. */
const splinters = [
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "null",
  "-1",
  "1e999",
  "NaN",
  "9".repeat(40),
  '"__proto__":{"x":1},',

  "\\u0000",
  "\\ud800",
  "[".repeat(200),
  '"eta":"",',
  '"id":7,',
  '"body_encoding":"rot13",',
  '"compression":"zlib",',
].map((text) => Buffer.from(text));

/** Envelopes of Celery's and ours, spoiled at random: cut, stuffed with splinters, overwritten, spliced with one another. */
class Spoiler {
  readonly #world: World;
  readonly #sound: readonly Buffer[];

  constructor(world: World) {
    this.#world = world;
    this.#sound = readCaptured().map(({ raw }) => Buffer.from(raw));
  }

  next(): Buffer {
    let bytes: Buffer = Buffer.from(this.#any(this.#sound));
    for (let change = 1 + this.#below(3); change > 0; change -= 1) bytes = this.#spoil(bytes);
    return bytes;
  }

  #spoil(bytes: Buffer): Buffer {
    const [from, to] = [this.#below(bytes.length + 1), this.#below(bytes.length + 1)];
    switch (this.#below(5)) {
      case 0:
        return bytes.subarray(0, from);
      case 1:
        return Buffer.concat([bytes.subarray(0, from), this.#any(splinters), bytes.subarray(from)]);
      case 2:
        return Buffer.concat([bytes.subarray(0, Math.min(from, to)), bytes.subarray(Math.max(from, to))]);
      case 3:
        return Buffer.concat([bytes.subarray(0, from), this.#any(this.#sound).subarray(to)]);
      default:
        for (let count = 1 + this.#below(8); count > 0 && bytes.length > 0; count -= 1)
          bytes[this.#below(bytes.length)] = this.#below(256);
        return bytes;
    }
  }

  #any(choice: readonly Buffer[]): Buffer {
    return choice[this.#below(choice.length)] ?? Buffer.alloc(0);
  }

  #below(limit: number): number {
    return Math.floor(this.#world.random() * limit);
  }
}

export const fuzzRows: readonly Row[] = [
  {
    row: "50, decoder",
    name: "a million spoiled envelopes: each is read or found malformed at once, and none is an error",
    why: "whoever may write to the list must not be able to stop its workers",
    withinMs: 900_000,
    async run(world) {
      const spoiler = new Spoiler(world);
      const fates = { sound: 0, malformed: 0 };
      for (let number = 0; number < inMemory; number += 1) {
        // Or the runner takes it for dead.
        if (number % 10_000 === 0) await setImmediate();
        const bytes = spoiler.next();
        const tookMs = timed(() => {
          const message = decodeBytes(bytes, "q");
          fates["malformed" in message ? "malformed" : "sound"] += 1;
          if ("malformed" in message) return;
          const again = reencodeEnvelope(bytes.toString(), { queue: "q", deliveryTag: "t", headers: undefined });
          const second = decodeBytes(Buffer.from(again ?? ""), "q");
          if (!("id" in second) || second.id !== message.id)
            throw new Error(`expected ${bytes.toString()} to stay a message`);
        });
        // The machine may have been busy with somebody else, but not each time.
        if (tookMs > mostMs)
          expect(Math.min(...[1, 2, 3].map(() => timed(() => decodeBytes(bytes, "q"))))).toBeLessThan(mostMs);
      }
      expect(fates.sound).toBeGreaterThan(inMemory / 100);
      expect(fates.malformed).toBeGreaterThan(inMemory / 10);
      expect(({} as { readonly x?: unknown }).x).toBeUndefined();
    },
  },
  {
    row: "50, wire",
    name: "twenty thousand spoiled envelopes in the queue of a worker: each is run, waits or is dead, and the worker goes on",
    why: "what the envelope holds may be spoiled too",
    async run(world) {
      const server = await world.server();
      const spoiler = new Spoiler(world);
      for (let sent = 0; sent < onTheWire; sent += 500)
        await server.command("lpush", "default", ...Array.from({ length: 500 }, () => spoiler.next()));
      const broker = createBroker({ ...testSettings(server.url, ""), leaseMs: 30_000 });
      const app = createApp({ broker, queues: ["default"], logger: silentLogger });
      world.defer(() => app.close());
      const fates: Record<string, number> = {};
      const worker = app.createWorker({
        onEvent: ({ type }) => {
          fates[type] = (fates[type] ?? 0) + 1;
        },
      });
      await worker.start();
      const stats = () => broker.inspector.stats("default");
      await eventually("nothing is left", 60_000, async () => {
        const { ready, inFlight } = await stats();
        return ready === 0 && inFlight === 0;
      });
      await worker.stop();
      const { dead, delayed, ready } = await stats();
      const { "task.dead": buried = 0, "task.expired": expired = 0 } = fates;
      expect(dead).toBe(buried);
      // Those whose task nobody knows here are parked, those whose time has not come wait; of either, some may have come due just now.
      expect((dead ?? 0) + (delayed ?? 0) + (ready ?? 0) + expired + (fates["task.succeeded"] ?? 0)).toBe(onTheWire);
      expect(buried).toBeGreaterThan(onTheWire / 10);
    },
  },
];

function timed(action: () => void): number {
  const startedAt = performance.now();
  action();
  return performance.now() - startedAt;
}
