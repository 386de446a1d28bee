import { mkdirSync } from "node:fs";
import { silentLogger, systemClock } from "@q/core/broker";
import { describe, expect, onTestFinished, test } from "vitest";
import { countRows, eventually, openRaw, temporaryFile } from "../test/temporary.ts";
import { Ballast, type BallastOptions } from "./ballast.ts";
import { Connection } from "./connection.ts";
import { GroupCommit } from "./group-commit.ts";
import { loadSqliteDriver, type SqliteDatabase } from "./sqlite-driver.ts";

interface Bench {
  readonly commits: GroupCommit;
  readonly connection: Connection;
  readonly path: string;
  readonly raw: SqliteDatabase;
  /** What happened, in order. */
  readonly events: string[];
  add(name: string): number;
}

interface BenchOptions {
  readonly timeoutMs?: number;
  readonly onBegin?: () => void;
  readonly onRing?: () => void;
  readonly makeBallast?: (options: BallastOptions) => Ballast;
}

async function bench({ timeoutMs = 2000, onBegin, onRing, makeBallast }: BenchOptions = {}): Promise<Bench> {
  const path = temporaryFile();
  const base = { clock: systemClock, logger: silentLogger };
  const driver = await loadSqliteDriver();
  const connection = await Connection.open({ path, address: "sqlite:q.db", driver, lockTimeoutMs: 500, ...base });
  onTestFinished(() => connection.close());
  const events: string[] = [];
  const ballast = { path: `${path}-ballast`, bytes: 4096, ...base };
  const commits = new GroupCommit({
    connection,
    ballast: makeBallast?.(ballast) ?? new Ballast(ballast),
    clock: systemClock,
    timeoutMs,
    durable: true,
    onBegin: () => {
      events.push("begin");
      onBegin?.();
    },
    onRing: () => {
      events.push("ring");
      onRing?.();
    },
  });
  const add = (name: string): number => connection.run("INSERT INTO queue (name) VALUES (?)", name);
  return { commits, connection, path, events, add, raw: await openRaw(path) };
}

describe("writes of one turn", () => {
  test("share one transaction, and each hears after it what its own part answered", async () => {
    const { commits, add, events, raw } = await bench();
    const seen: number[] = [];
    const writes = ["a", "b", "c"].map((name) =>
      commits
        .write(() => `${name}${add(name)}`)
        .then((answer) => {
          seen.push(countRows(raw, "queue"));
          return answer;
        }),
    );
    expect(await Promise.all(writes)).toEqual(["a1", "b1", "c1"]);
    expect(events).toEqual(["begin"]);
    expect(seen).toEqual([3, 3, 3]);
  });

  test("of which one fails leave the others standing", async () => {
    const { commits, add, raw } = await bench();
    const writes = ["a", "b", "a", "c", "d"].map((name) => commits.write(() => add(name)));
    const results = await Promise.allSettled(writes);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    await expect(writes[2]).rejects.toMatchObject({ name: "BrokerError", code: "Q1012" });
    expect(raw.prepare("SELECT name FROM queue ORDER BY id").all()).toEqual(
      ["a", "b", "c", "d"].map((name) => ({ name })),
    );
  });

  test("ring once, and only when one of them wants it and it was committed", async () => {
    const { commits, add, events } = await bench();
    await commits.write(() => add("silent"));
    await Promise.all([commits.write(() => add("a"), { rings: true }), commits.write(() => add("b"), { rings: true })]);
    await expect(commits.write(() => add("a"), { rings: true })).rejects.toThrow("UNIQUE");
    expect(events.filter((event) => event === "ring")).toEqual(["ring"]);
  });

  test("are spread over several transactions when they are many", async () => {
    const { commits, events } = await bench();
    await Promise.all(Array.from({ length: 30 }, () => commits.write(() => undefined, { weight: 100 })));
    expect(events).toEqual(["begin", "begin", "begin"]);
  });
});

describe("writes of one kind", () => {
  test("are carried out by one call where the first of them stands, and each hears its own answer", async () => {
    const { commits, add, events } = await bench();
    const calls: (readonly string[])[] = [];
    const addAll = (names: readonly string[]): number[] => {
      calls.push(names);
      return names.map(add);
    };
    const lengths = (names: readonly string[]): number[] => names.map((name) => name.length);
    const answers = await Promise.all([
      commits.write(() => `${calls.length} calls before`),
      commits.writeTogether(addAll, "a", {}),
      commits.writeTogether(lengths, "four", {}),
      commits.write(() => `${calls.length} call before`),
      commits.writeTogether(addAll, "b", {}),
      commits.writeTogether(lengths, "seventy", {}),
    ]);
    expect(answers).toEqual(["0 calls before", 1, 4, "1 call before", 1, 7]);
    expect(calls).toEqual([["a", "b"]]);
    expect(events).toEqual(["begin"]);
  });

  test("of which one fails leave the others standing", async () => {
    const { commits, add, raw } = await bench();
    const addAll = (names: readonly string[]): number[] => names.map(add);
    const results = await Promise.allSettled(
      ["a", "b", "a", "c"].map((name) => commits.writeTogether(addAll, name, {})),
    );
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(countRows(raw, "queue")).toBe(3);
  });
});

describe("while another process writes", () => {
  test("writes wait, gather, and are committed together", async () => {
    const { commits, add, events, raw } = await bench();
    raw.exec("BEGIN IMMEDIATE");
    const early = commits.write(() => add("early"));
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    const late = commits.write(() => add("late"));
    raw.exec("ROLLBACK");
    await Promise.all([early, late]);
    expect(events).toEqual(["begin"]);
  });

  test("a write gives up in time, and is then not carried out", async () => {
    const { commits, add, raw } = await bench({ timeoutMs: 30 });
    raw.exec("BEGIN IMMEDIATE");
    await expect(commits.write(() => add("too late"))).rejects.toMatchObject({ code: "Q1011" });
    raw.exec("ROLLBACK");
    await commits.write(() => add("next"));
    expect(raw.prepare("SELECT name FROM queue").all()).toEqual([{ name: "next" }]);
  });

  test("a write that must happen is carried out though its caller was told that it took too long", async () => {
    const { commits, add, raw } = await bench({ timeoutMs: 30 });
    raw.exec("BEGIN IMMEDIATE");
    await expect(commits.write(() => add("late"), { mustHappen: true })).rejects.toMatchObject({ code: "Q1011" });
    raw.exec("ROLLBACK");
    await eventually(() => countRows(raw, "queue WHERE name = 'late'") === 1);
  });
});

describe("what was not expected", () => {
  /** Its first look fails. */
  class BrokenBallast extends Ballast {
    #looks = 0;

    override hasRoom(): boolean {
      this.#looks += 1;
      if (this.#looks === 1) throw new Error("the ballast fell over");
      return super.hasRoom();
    }
  }

  test("fails the writes that it met and those that waited, and no later one", async () => {
    const { commits, add, raw } = await bench({ makeBallast: (options) => new BrokenBallast(options) });
    const writes = ["a", "b", "c"].map((name) => commits.write(() => add(name), { adds: true, weight: 600 }));
    const error = { name: "BrokerError", code: "Q1012", message: "sqlite:q.db failed: the ballast fell over" };
    for (const write of writes) await expect(write).rejects.toMatchObject(error);
    expect(countRows(raw, "queue")).toBe(0);
    await commits.write(() => add("later"), { adds: true });
    expect(countRows(raw, "queue")).toBe(1);
    await commits.drain();
  });

  test("does not fail a write that is committed already", async () => {
    let isFirst = true;
    const onRing = (): void => {
      if (!isFirst) return;
      isFirst = false;
      throw new Error("a listener fell over");
    };
    const { commits, add, raw } = await bench({ onRing });
    const first = commits.write(() => add("first"), { rings: true, weight: 1000 });
    const waiting = commits.write(() => add("waiting"));
    await expect(first).resolves.toBe(1);
    await expect(waiting).rejects.toMatchObject({ code: "Q1012" });
    await commits.write(() => add("later"));
    expect(raw.prepare("SELECT name FROM queue ORDER BY id").all()).toEqual([{ name: "first" }, { name: "later" }]);
  });

  test("a ballast that cannot be deleted leaves a full disk a full disk", async () => {
    const { commits, connection, path } = await bench({ timeoutMs: 30 });
    mkdirSync(`${path}-ballast`);
    const fill = (): number =>
      connection.run("INSERT INTO broadcast (channel, payload) VALUES ('a', ?)", "a".repeat(100_000));
    const { page_count: pages } = connection.get<{ page_count: number }>("PRAGMA page_count") ?? { page_count: 0 };
    connection.get(`PRAGMA max_page_count = ${pages}`);
    await expect(commits.write(fill)).rejects.toMatchObject({ code: "Q1006" });
    connection.get("PRAGMA max_page_count = 100000");
    await expect(commits.write(fill)).resolves.toBe(1);
  });
});

test("drain writes what waits and takes nothing more", async () => {
  const { commits, add, raw } = await bench();
  const write = commits.write(() => add("last"));
  await commits.drain();
  expect(countRows(raw, "queue")).toBe(1);
  await expect(write).resolves.toBe(1);
  await expect(commits.write(() => add("never"))).rejects.toMatchObject({ code: "Q1010" });
});

test("abandoning rejects what waits", async () => {
  const { commits, add, raw } = await bench();
  const write = commits.write(() => add("waiting"));
  commits.abandon();
  await expect(write).rejects.toMatchObject({ code: "Q1010" });
  expect(countRows(raw, "queue")).toBe(0);
});

test("only a durable write waits for the disk", async () => {
  const { commits, connection } = await bench();
  const level = (): unknown => connection.get("PRAGMA synchronous");
  await commits.write(() => undefined, { durable: true });
  expect(level()).toEqual({ synchronous: 2 });
  await commits.write(() => undefined);
  expect(level()).toEqual({ synchronous: 1 });
});
