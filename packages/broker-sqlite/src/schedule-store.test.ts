import { expect, test } from "vitest";
import { countRows, message, openBroker, openRaw, temporaryFile } from "../test/temporary.ts";
import { applicationId, migrations } from "./schema.ts";

const at = Date.UTC(2026, 0, 1);
const tick = (label: string, time = at) => ({
  name: label,
  at: time,
  queue: "default",
  message: message(label),
  isStored: false,
});

test("a file of the first format keeps its messages and their order, and remembers schedules from now on", async () => {
  const path = temporaryFile();
  const old = await openRaw(path);
  old.exec(`${migrations[0]} PRAGMA application_id = ${applicationId}; PRAGMA user_version = 1;`);
  old.exec("INSERT INTO queue (id, name) VALUES (1, 'default'); UPDATE sequence SET value = 700");
  old.exec("INSERT INTO message (queue_id, position, id) VALUES (1, 700, 'kept')");
  old.close();
  const broker = await openBroker(path);
  expect(await broker.schedules.fire(tick("nightly"))).toBe("fired");
  expect(await broker.schedules.list()).toEqual([{ name: "nightly", lastTick: at, paused: false, entry: null }]);
  const inOrder = (await openRaw(path)).prepare("SELECT id FROM message ORDER BY rank, position").all();
  expect(inOrder).toEqual([{ id: "kept" }, { id: tick("nightly").message.id }]);
});

test("a tick that cannot be recorded leaves no message, and is fired when it can", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  await broker.declare([{ name: "default", priorities: false }]);
  const raw = await openRaw(path);
  raw.exec("CREATE TRIGGER no_ticks BEFORE UPDATE ON schedule BEGIN SELECT RAISE(ABORT, 'not now'); END");
  await expect(broker.schedules.fire(tick("nightly"))).rejects.toMatchObject({ name: "PublishRejected" });
  expect(countRows(raw, "message")).toBe(0);
  raw.exec("DROP TRIGGER no_ticks");
  expect(await broker.schedules.fire(tick("nightly"))).toBe("fired");
  expect(countRows(raw, "message")).toBe(1);
});

test("what another program wrote as an entry is none", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  const raw = await openRaw(path);
  raw.exec("INSERT INTO schedule (name, entry) VALUES ('junk', '{'), ('list', '[1]')");
  expect((await broker.schedules.list()).map(({ name, entry }) => [name, entry])).toEqual([
    ["junk", null],
    ["list", null],
  ]);
});

test("a list that cannot be read is an error of the broker", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  (await openRaw(path)).exec("DROP TABLE schedule");
  await expect(broker.schedules.list()).rejects.toMatchObject({ name: "BrokerError", code: "Q1012" });
});
