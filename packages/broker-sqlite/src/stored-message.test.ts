import { describe, expect, test } from "vitest";
import { eventually, message, openBroker, openRaw, take, temporaryFile, wellFormed } from "../test/temporary.ts";
import type { SqliteBroker } from "./sqlite-broker.ts";
import type { SqliteDatabase, SqliteValue } from "./sqlite-driver.ts";

const headers = '{"task":"t"}';
const properties = '{"contentType":"application/json","contentEncoding":"utf-8"}';

interface Columns {
  readonly id?: SqliteValue;
  readonly headers?: SqliteValue;
  readonly properties?: SqliteValue;
  readonly body?: SqliteValue;
}

async function brokerAndFile(): Promise<{ readonly broker: SqliteBroker; readonly raw: SqliteDatabase }> {
  const path = temporaryFile();
  const broker = await openBroker(path);
  await broker.declare([{ name: "default", priorities: false }]);
  return { broker, raw: await openRaw(path) };
}

/** Writes a row as another program might. */
function insertRow(raw: SqliteDatabase, columns: Columns): void {
  const row = { id: "x", headers, properties, body: Buffer.from("body"), ...columns };
  raw
    .prepare("INSERT INTO message (queue_id, id, headers, properties, body) VALUES (1, ?, ?, ?, ?)")
    .run(row.id, row.headers, row.properties, row.body);
}

describe("a row that another program wrote", () => {
  test("wrongly is delivered as malformed, with what is wrong and what stands in it", async () => {
    const { broker, raw } = await brokerAndFile();
    const rows: [Columns, string][] = [
      [{ id: null }, "the id is not a text"],
      [{ id: "" }, "the id is not a text"],
      [{ id: 9_223_372_036_854_775_807n }, "the id is not a text"],
      [{ headers: null }, "the headers are not a JSON object"],
      [{ headers: "{" }, "the headers are not a JSON object"],
      [{ headers: "[1]" }, "the headers are not a JSON object"],
      [{ headers: Buffer.from([0xff, 0x00]) }, "the headers are not a JSON object"],
      [{ headers: 9_223_372_036_854_775_807n }, "the headers are not a JSON object"],
      [{ headers: '{"a":'.repeat(100_000) }, "the headers are not a JSON object"],
      [{ headers: `${'{"a":'.repeat(100)}1${"}".repeat(100)}` }, "the headers are not a JSON object"],
      [{ properties: null }, "the properties are not those of a message"],
      [{ properties: "{}" }, "the properties are not those of a message"],
      [{ properties: '{"contentType":1,"contentEncoding":"x"}' }, "the properties are not those of a message"],
      [{ body: null }, "the body is not a blob"],
      [{ body: "text" }, "the body is not a blob"],
      [{ body: 3.5 }, "the body is not a blob"],
    ];
    for (const [columns] of rows) insertRow(raw, columns);
    const found = await take(broker, rows.length);
    expect(
      found.map((delivery) => ("malformed" in delivery.message ? delivery.message.malformed : "a message")),
    ).toEqual(rows.map(([, what]) => what));
  });

  test("keeps its bytes, also those that are no text", async () => {
    const { broker, raw } = await brokerAndFile();
    raw.exec(`INSERT INTO message (queue_id, headers, body) VALUES (1, CAST(x'7bff00' AS TEXT), x'00ff')`);
    const [delivery] = await take(broker, 1);
    expect(delivery?.message).toMatchObject({
      queue: "default",
      raw: Buffer.from([0x7b, 0xff, 0x00, 0x0a, 0x00, 0xff]),
    });
  });

  test("does not hinder its neighbours, nor the numbers that later messages get", async () => {
    const { broker, raw } = await brokerAndFile();
    await broker.publish([message("before")]);
    insertRow(raw, { headers: "junk" });
    await broker.publish([message("after")]);
    const deliveries = await take(broker, 3);
    const labels = deliveries.map((delivery) => ("malformed" in delivery.message ? "junk" : delivery.message.id));
    expect(labels.toSorted()).toEqual(["after", "before", "junk"]);
  });

  test("rightly is a message like any other", async () => {
    const { broker, raw } = await brokerAndFile();
    insertRow(raw, { headers: '{"task":"t","__proto__":{"a":1}}' });
    const [delivery] = await take(broker, 1);
    expect(delivery === undefined ? undefined : wellFormed(delivery)).toMatchObject({
      id: "x",
      headers: { task: "t" },
    });
    expect(await delivery?.settle({ kind: "ack" })).toBe("settled");
  });

  test("with numbers that no JavaScript program could read is refused by the file", async () => {
    const { raw } = await brokerAndFile();
    for (const column of ["seq", "position", "due_at", "fence", "crashes", "rank", "priority", "state"]) {
      expect(() => raw.exec(`INSERT INTO message (queue_id, ${column}) VALUES (1, 9007199254740993)`)).toThrow("CHECK");
    }
  });

  test("as in flight with nobody goes to others when the file is opened", async () => {
    const path = temporaryFile();
    const first = await openBroker(path);
    await first.publish([message("stray")]);
    const raw = await openRaw(path);
    raw.exec("UPDATE message SET state = 2, owner = NULL");
    const [delivery] = await take(await openBroker(path), 1);
    expect(delivery === undefined ? undefined : wellFormed(delivery).id).toBe("stray");
  });
});

describe("a message that the file could not give back unchanged is rejected, and nothing is stored:", () => {
  test.each([
    ["an empty id", { id: "" }],
    ["an id of 256 bytes", { id: "ü".repeat(128) }],
    ["an id with a NUL", { id: "a\0b" }],
    ["an empty queue name", { queue: "" }],
    ["a queue name with a NUL", { queue: "a\0b" }],
    ["a priority of 10", { priority: 10 }],
    ["half a priority", { priority: 0.5 }],
    ["a negative delay", { delayMs: -1 }],
    ["an endless delay", { delayMs: Infinity }],
    ["an id with half a character", { id: "a\ud83d" }],
    ["a queue with half a character", { queue: "a\ud83d" }],
  ])("%s", async (_what, changes) => {
    const broker = await openBroker(temporaryFile());
    await expect(broker.publish([message("good"), message("bad", changes)])).rejects.toMatchObject({
      name: "PublishRejected",
      code: "Q1101",
    });
    expect((await broker.inspector.stats("default")).ready).toBe(0);
  });
});

test("a dead letter whose reason is unreadable is still listed", async () => {
  const { broker, raw } = await brokerAndFile();
  await broker.publish([message("dead")]);
  const [delivery] = await take(broker, 1);
  await delivery?.settle({ kind: "bury", reason: { code: "failed", message: "broken" } });
  raw.exec("UPDATE dead SET reason = 'junk'");
  await eventually(async () => (await broker.inspector.stats("default")).dead === 1);
  const { items } = await broker.inspector.deadLetters("default", { limit: 10 });
  expect(items).toMatchObject([{ message: { id: "dead" }, reason: { code: "unknown" } }]);
});
