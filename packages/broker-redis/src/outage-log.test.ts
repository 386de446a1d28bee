import { silentLogger } from "@q/core/broker";
import { expect, test } from "vitest";
import { OutageLog } from "./outage-log.ts";

function setUp() {
  const said: string[] = [];
  const log = new OutageLog({
    ...silentLogger,
    warn: () => void said.push("away"),
    info: () => void said.push("back"),
  });
  const connections = [{}, {}, {}] as const;
  for (const connection of connections) log.isBack(connection);
  for (const connection of connections) log.isAway(connection, "ECONNREFUSED");
  return { said, log, connections };
}

test("an outage of several connections is told once, and its end when the last one is back", () => {
  const { said, log, connections } = setUp();
  for (const connection of connections) {
    expect(said).toEqual(["away"]);
    log.isBack(connection);
  }
  expect(said).toEqual(["away", "back"]);
});

test("it ends too when the last one that is missing is given up", () => {
  const { said, log, connections } = setUp();
  const [first, second, third] = connections;
  log.isBack(first);
  log.isBack(second);
  log.forget(third);
  expect(said).toEqual(["away", "back"]);
});

test("nothing is back when all of them are given up", () => {
  const { said, log, connections } = setUp();
  for (const connection of connections) log.forget(connection);
  expect(said).toEqual(["away"]);
});
