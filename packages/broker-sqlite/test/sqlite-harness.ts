import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock, type Broker, type Clock } from "@q/core/broker";
import type { Harness, HarnessWorld } from "@q/broker-testkit";
import { readOptions } from "../src/options.ts";
import { SqliteBroker } from "../src/sqlite-broker.ts";
import { loadSqliteDriver, type SqliteDatabase } from "../src/sqlite-driver.ts";
import { oldestDriver } from "./oldest-driver.ts";
import { SimulatedProcesses, type SimulatedProcess } from "./simulated-processes.ts";

interface Parts {
  readonly broker: SqliteBroker;
  readonly path: string;
  readonly process: SimulatedProcess;
  readonly rounds: Rounds;
}

const sweepEveryMs = 50;
const driver = await oldestDriver();

/** What a broker does regularly, unasked, which a test can end. Shorter waits, as for a lock, go on. */
class Rounds {
  readonly clock: Clock;
  #ended = false;

  constructor() {
    this.clock = {
      ...systemClock,
      setTimer: (delayMs, callback, options) =>
        systemClock.setTimer(delayMs, () => (this.#ended && delayMs >= sweepEveryMs ? undefined : callback()), options),
    };
  }

  end(): void {
    this.#ended = true;
  }
}

function brokerOn(path: string, { liveness }: SimulatedProcess, clock: Clock = systemClock): SqliteBroker {
  return new SqliteBroker(readOptions({ path, lockTimeout: "300ms" }), {
    clock,
    liveness,
    sweepEveryMs,
    crashDelayMs: 100,
    driver,
  });
}

/** One folder for each world, and a process that does not exist for each broker, so that it can die. */
export function sqliteHarness(): Harness {
  const folders = new WeakMap<HarnessWorld, string>();
  const processes = new SimulatedProcesses();
  const made = new WeakMap<Broker, Parts>();
  const pathOf = (world: HarnessWorld): string => {
    const folder = folders.get(world) ?? mkdtempSync(join(tmpdir(), "q-sqlite-"));
    folders.set(world, folder);
    return join(folder, "q.db");
  };
  const open = async (path: string): Promise<SqliteDatabase> => (await loadSqliteDriver()).open(path);
  const partsOf = (broker: Broker): Parts => {
    const parts = made.get(broker);
    if (parts === undefined) throw new TypeError("expected a broker of this harness");
    return parts;
  };
  const expire = async ({ path, process }: Parts): Promise<void> => {
    process.replace();
    // Whoever opens the file looks for dead processes first.
    const other = brokerOn(path, processes.start());
    await other.open({ logger: silentLogger });
    await other.close();
  };
  return {
    create(world) {
      const path = pathOf(world);
      const process = processes.start();
      const rounds = new Rounds();
      const broker = brokerOn(path, process, rounds.clock);
      made.set(broker, { broker, path, process, rounds });
      return broker;
    },
    crash(broker) {
      const parts = partsOf(broker);
      parts.broker.abandon();
      parts.process.die();
    },
    /** Another program that writes keeps everybody out. */
    async interrupt(broker) {
      const database = await open(partsOf(broker).path);
      database.exec("PRAGMA busy_timeout = 2000; BEGIN IMMEDIATE");
      return () => {
        database.exec("ROLLBACK");
        database.close();
      };
    },
    expire: (broker) => expire(partsOf(broker)),
    async expireUnnoticed(broker) {
      const parts = partsOf(broker);
      // A broker that looks for dead processes sees that it is one of them.
      parts.rounds.end();
      await expire(parts);
    },
    async inject(world, queue, raw) {
      const database = await open(pathOf(world));
      database.exec("PRAGMA busy_timeout = 2000");
      database
        .prepare(
          "INSERT INTO message (queue_id, position, body) SELECT id, last_position + 1, ? FROM queue WHERE name = ?",
        )
        .run(raw, queue);
      database.close();
    },
    cleanUp(world) {
      const folder = folders.get(world);
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
    // About ten times what a quiet machine needs: the other test files run beside this one.
    latenessMs: 500,
    recoveryMs: 1000,
    crashDelayMs: 300,
    ttlMs: 1000,
    quietMs: 250,
  };
}
