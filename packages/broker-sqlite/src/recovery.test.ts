import type { Liveness, Outcome } from "@q/core/broker";
import { describe, expect, test } from "vitest";
import { SimulatedProcesses, type SimulatedProcess } from "../test/simulated-processes.ts";
import {
  eventually,
  MemoryLogger,
  message,
  messages,
  openBroker,
  openRaw,
  take,
  temporaryFile,
  wellFormed,
} from "../test/temporary.ts";
import type { Internals } from "./open-broker.ts";
import type { SqliteBroker } from "./sqlite-broker.ts";

const quick: Partial<Internals> = { sweepEveryMs: 20, crashDelayMs: 100 };

interface Victim {
  readonly broker: SqliteBroker;
  readonly process: SimulatedProcess;
}

function scene(): { readonly path: string; start(internals?: Partial<Internals>): Promise<Victim> } {
  const path = temporaryFile();
  const processes = new SimulatedProcesses();
  return {
    path,
    async start(internals = {}) {
      const process = processes.start();
      const broker = await openBroker(path, { internals: { ...quick, liveness: process.liveness, ...internals } });
      return { broker, process };
    },
  };
}

function kill({ broker, process }: Victim): void {
  broker.abandon();
  process.die();
}

describe("when a process dies", () => {
  test("the crash counts once for what it only held, and each time for a suspect that it had started", async () => {
    const { start } = scene();
    const counts: (number | undefined)[] = [];
    const dueAfter: number[] = [];
    let diedAt = 0;
    await (await start()).broker.publish([message("suspect")]);
    for (let life = 0; life < 4; life += 1) {
      const victim = await start();
      const [delivery] = await take(victim.broker, 1);
      counts.push(delivery?.crashes);
      dueAfter.push(performance.now() - diedAt);
      expect(await delivery?.start()).toBe("settled");
      kill(victim);
      diedAt = performance.now();
    }
    expect(counts).toEqual([0, 1, 2, 3]);
    // At once after the first crash; from the second on later each time.
    expect(dueAfter[2]).toBeGreaterThanOrEqual(100);
    expect(dueAfter[3]).toBeGreaterThanOrEqual(200);
  });

  test("a suspect that had not started keeps its count and comes back at once", async () => {
    const { start } = scene();
    await (await start()).broker.publish([message("neighbour")]);
    for (const crashes of [0, 1, 1, 1]) {
      const victim = await start();
      const [delivery] = await take(victim.broker, 1);
      expect(delivery?.crashes).toBe(crashes);
      kill(victim);
    }
  });

  test("a requeue clears the count, and a release keeps it", async () => {
    const { start } = scene();
    const survivor = await start();
    await survivor.broker.publish([message("suspect")]);
    const victim = await start();
    await take(victim.broker, 1);
    kill(victim);
    const crashesThen = async (kind: "release" | "requeue"): Promise<number | undefined> => {
      const { broker } = await start();
      const [delivery] = await take(broker, 1);
      await delivery?.settle(kind === "release" ? { kind } : { kind, delayMs: 0 });
      await broker.close();
      return delivery?.crashes;
    };
    expect([await crashesThen("release"), await crashesThen("requeue"), await crashesThen("release")]).toEqual([
      1, 1, 0,
    ]);
  });

  test("its leases and its place in the list of consumers are free", async () => {
    const { start } = scene();
    const [victim, survivor] = [await start(), await start()];
    await victim.broker.consume(["default"], { prefetch: 1 }, () => undefined);
    expect(await victim.broker.leases.acquire("lock", 60_000)).not.toBeNull();
    expect((await survivor.broker.inspector.stats("default")).consumers).toBe(1);
    kill(victim);
    expect((await survivor.broker.inspector.stats("default")).consumers).toBe(0);
    await eventually(async () => (await survivor.broker.leases.acquire("lock", 1000)) !== null);
  });
});

describe("a broker that was taken for dead", () => {
  test("hears that it lost what it held, and goes on under another name", async () => {
    const { start } = scene();
    const zombie = await start({ sweepEveryMs: 20 });
    await zombie.broker.publish(messages(3));
    const held = await take(zombie.broker, 3);
    const { lost } = held[0] ?? { lost: AbortSignal.abort() };
    expect(lost.aborted).toBe(false);
    zombie.process.replace();
    const other = await start();
    const taken = await take(other.broker, 3);
    await eventually(() => lost.aborted);
    // Looked at only now.
    expect(held[1]?.lost.aborted).toBe(true);
    expect(await held[1]?.settle({ kind: "ack" })).toBe("lost");
    expect(await held[2]?.start()).toBe("lost");
    expect(await Promise.all(taken.map((delivery) => delivery.settle({ kind: "ack" })))).toEqual(
      Array(3).fill("settled"),
    );
    await zombie.broker.publish([message("next")]);
    const [next] = await take(zombie.broker, 1);
    expect(await next?.settle({ kind: "ack" })).toBe("settled");
  });

  test("settles nothing that another one holds now, even before it has heard", async () => {
    const { start } = scene();
    const zombie = await start({ sweepEveryMs: 60_000 });
    await zombie.broker.publish(messages(5));
    const [toStart, ...late] = await take(zombie.broker, 5);
    zombie.process.replace();
    const other = await start();
    const now = await take(other.broker, 5);
    const outcomes: Outcome[] = [
      { kind: "ack" },
      { kind: "release" },
      { kind: "requeue", delayMs: 0 },
      { kind: "bury", reason: { code: "failed", message: "late" } },
    ];
    expect(await toStart?.start()).toBe("lost");
    for (const [index, outcome] of outcomes.entries()) expect(await late[index]?.settle(outcome)).toBe("lost");
    expect(await other.broker.inspector.stats("default")).toMatchObject({ ready: 0, inFlight: 5, dead: 0 });
    for (const delivery of now) expect(await delivery.settle({ kind: "ack" })).toBe("settled");
  });

  test("claims nothing under its old name, even before it has heard", async () => {
    const { start, path } = scene();
    const zombie = await start({ sweepEveryMs: 60_000 });
    zombie.process.replace();
    await start();
    await zombie.broker.publish([message("m")]);
    const [delivery] = await take(zombie.broker, 1);
    const raw = await openRaw(path);
    expect(raw.prepare("SELECT count(*) AS listed FROM message JOIN session ON owner = session.id").get()).toEqual({
      listed: 1,
    });
    expect(await delivery?.settle({ kind: "ack" })).toBe("settled");
  });
});

describe("a process that cannot be seen from here", () => {
  const hidden = (liveness: Liveness, pidNamespace: string): Liveness => ({
    own: { ...liveness.own, pidNamespace },
    check: (other) => (other.pidNamespace === pidNamespace ? liveness.check(other) : "unknown"),
  });

  test("keeps what it holds as long as it gives signs of life, and loses it when it falls silent", async () => {
    const path = temporaryFile();
    const processes = new SimulatedProcesses();
    const beats = { ...quick, silenceMs: 300, beatEveryMs: 30 };
    const start = async (container: string): Promise<SqliteBroker> =>
      openBroker(path, { internals: { ...beats, liveness: hidden(processes.start().liveness, container) } });
    const [here, there] = [await start("here"), await start("there")];
    await there.publish([message("held")]);
    const [held] = await take(there, 1);
    const recovered = take(here, 1);
    const first = await Promise.race([
      recovered.then(() => "taken away"),
      new Promise((resolve) => {
        setTimeout(() => resolve("kept"), 900);
      }),
    ]);
    expect(first).toBe("kept");
    expect(held?.lost.aborted).toBe(false);
    there.abandon();
    const [again] = await recovered;
    expect(again === undefined ? undefined : wellFormed(again).id).toBe("held");
  });

  test("keeps what it holds also when it can see those that cannot see it", async () => {
    const path = temporaryFile();
    const processes = new SimulatedProcesses();
    const beats = { ...quick, silenceMs: 300, beatEveryMs: 30 };
    const seeing = await openBroker(path, { internals: { ...beats, liveness: processes.start().liveness } });
    const blind = await openBroker(path, {
      internals: { ...beats, liveness: hidden(processes.start().liveness, "elsewhere") },
    });
    await seeing.publish([message("held")]);
    const [held] = await take(seeing, 1);
    const raw = await openRaw(path);
    const fewestBeats = (): number =>
      (raw.prepare("SELECT min(beat) AS beats FROM session").get() as { beats: number }).beats;
    // Twice as long as it may be silent.
    await eventually(() => fewestBeats() > 20);
    expect(held?.lost.aborted).toBe(false);
    expect((await blind.inspector.stats("default")).inFlight).toBe(1);
  });

  test("is not called silent while the file was locked, when nobody could give a sign", async () => {
    const path = temporaryFile();
    const processes = new SimulatedProcesses();
    const logger = new MemoryLogger();
    const beats = { sweepEveryMs: 20, silenceMs: 500, beatEveryMs: 30 };
    const start = (container: string): Promise<SqliteBroker> => {
      const liveness = hidden(processes.start().liveness, container);
      return openBroker(path, { settings: { lockTimeout: "200ms" }, logger, internals: { ...beats, liveness } });
    };
    const [here, there] = [await start("here"), await start("there")];
    await there.publish([message("held")]);
    const [held] = await take(there, 1);
    const raw = await openRaw(path);
    const beatsOf = (): number =>
      (raw.prepare("SELECT sum(beat) AS beats FROM session").get() as { beats: number }).beats;
    await eventually(() => beatsOf() > 4);
    raw.exec("BEGIN IMMEDIATE");
    // Each of the two failed so often, 200 ms each time.
    await eventually(() => logger.lines.filter((line) => line.includes("dead processes failed")).length >= 10);
    raw.exec("ROLLBACK");
    const before = beatsOf();
    await eventually(() => beatsOf() >= before + 4);
    expect(held?.lost.aborted).toBe(false);
    expect((await here.inspector.stats("default")).inFlight).toBe(1);
  });
});

test("two brokers of one process do not take each other for dead, nor each other's messages for their own", async () => {
  const path = temporaryFile();
  const [one, two] = [await openBroker(path, { internals: quick }), await openBroker(path, { internals: quick })];
  await one.publish(messages(2));
  const [first] = await take(one, 1);
  const [second] = await take(two, 1);
  await one.close();
  expect(await first?.settle({ kind: "ack" })).toBe("lost");
  const [again] = await take(await openBroker(path, { internals: quick }), 1);
  expect(again === undefined ? undefined : wellFormed(again).id).toBe("m1");
  expect(again?.crashes).toBe(0);
  expect(await second?.settle({ kind: "ack" })).toBe("settled");
});
