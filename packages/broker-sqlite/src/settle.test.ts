import { expect, test } from "vitest";
import { countRows, message, messages, openBroker, openRaw, take, temporaryFile } from "../test/temporary.ts";

test("acks of several claims in one turn are each measured by their own claim", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  await broker.publish(messages(6));
  const held = [...(await take(broker, 3)), ...(await take(broker, 3))];
  const raw = await openRaw(path);
  // As if others had claimed them since: one of each claim, and one that is there no more.
  raw.exec("UPDATE message SET fence = fence + 1000 WHERE id IN ('m2', 'm4'); DELETE FROM message WHERE id = 'm6'");
  const answers = await Promise.all(held.map((delivery) => delivery.settle({ kind: "ack" })));
  expect(answers).toEqual(["settled", "lost", "settled", "lost", "settled", "lost"]);
  expect(raw.prepare("SELECT id FROM message ORDER BY seq").all()).toEqual([{ id: "m2" }, { id: "m4" }]);
  expect(await broker.inspector.stats("default")).toMatchObject({ ready: 0, inFlight: 2 });
});

test("a claim's number does not open another claim's message", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  await broker.publish([message("first"), message("second")]);
  const [first] = await take(broker, 1);
  const [second] = await take(broker, 1);
  const raw = await openRaw(path);
  // They swap their numbers, so each number is still that of a message in flight.
  raw.exec(`UPDATE message SET fence = ${first?.fence} + ${second?.fence} - fence`);
  const answers = await Promise.all([first?.settle({ kind: "ack" }), second?.settle({ kind: "ack" })]);
  expect(answers).toEqual(["lost", "lost"]);
  expect(countRows(raw, "message WHERE state = 2")).toBe(2);
});

test("a buried message that somebody else holds leaves no dead letter", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  await broker.publish([message("taken")]);
  const [delivery] = await take(broker, 1);
  const raw = await openRaw(path);
  raw.exec("UPDATE message SET fence = fence + 1");
  expect(await delivery?.settle({ kind: "bury", reason: { code: "failed", message: "late" } })).toBe("lost");
  expect([countRows(raw, "dead"), countRows(raw, "message")]).toEqual([0, 1]);
});
