import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { silentLogger } from "@q/core/broker";
import { FakeClock } from "@q/core/testing";
import { expect, test } from "vitest";
import { MemoryLogger, temporaryFile } from "../test/temporary.ts";
import { Ballast } from "./ballast.ts";

const bytes = 8192;

test("is made when it is first asked for, and is really written", () => {
  const path = temporaryFile();
  expect(new Ballast({ path, bytes, clock: new FakeClock(), logger: silentLogger }).hasRoom()).toBe(true);
  expect(statSync(path).size).toBe(bytes);
  expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(bytes);
  expect(readdirSync(dirname(path))).toHaveLength(1);
});

test("is gone once it is dropped, says so once, and there is no room for a while", () => {
  const path = temporaryFile();
  const logger = new MemoryLogger();
  const ballast = new Ballast({ path, bytes, clock: new FakeClock(), logger });
  ballast.hasRoom();
  ballast.drop();
  ballast.drop();
  expect(existsSync(path)).toBe(false);
  expect(logger.lines).toEqual([expect.stringMatching(/^error the disk is full/)]);
  expect(ballast.hasRoom()).toBe(false);
});

test("comes back when the disk has room again", async () => {
  const path = temporaryFile();
  const clock = new FakeClock();
  const ballast = new Ballast({ path, bytes, clock, logger: silentLogger });
  ballast.hasRoom();
  ballast.drop();
  await clock.advance(1000);
  expect(ballast.hasRoom()).toBe(true);
  expect(statSync(path).size).toBe(bytes);
});

test("is not made on a disk that has no room for two of it", () => {
  const path = temporaryFile();
  const ballast = new Ballast({ path, bytes: 2 ** 60, clock: new FakeClock(), logger: silentLogger });
  expect(ballast.hasRoom()).toBe(false);
  expect(readdirSync(dirname(path))).toEqual([]);
});

test("is seen by every process: who finds it missing has no room either", async () => {
  const path = temporaryFile();
  const clock = new FakeClock();
  const ballast = new Ballast({ path, bytes: 2 ** 60, clock, logger: silentLogger });
  writeFileSync(path, "made by another process");
  expect(ballast.hasRoom()).toBe(true);
  rmSync(path);
  await clock.advance(5);
  expect(ballast.hasRoom()).toBe(false);
});

test("one that cannot be deleted is told of once in a second, and stops nobody", async () => {
  const path = temporaryFile();
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const ballast = new Ballast({ path, bytes, clock, logger });
  mkdirSync(path);
  ballast.drop();
  ballast.drop();
  await clock.advance(1000);
  ballast.drop();
  const line = expect.stringMatching(/^warn could not give room away/) as string;
  expect(logger.lines).toEqual([line, line]);
});

test("one that cannot be looked at does not keep messages back", () => {
  const path = temporaryFile();
  const logger = new MemoryLogger();
  const ballast = new Ballast({ path, bytes, clock: new FakeClock(), logger });
  // A link in a circle cannot be looked at, whatever this user may do.
  symlinkSync(path, path);
  expect(ballast.hasRoom()).toBe(true);
  expect(logger.lines).toEqual([expect.stringMatching(/^warn could not look/)]);
  expect(() => ballast.drop()).not.toThrow();
});

test("one that cannot be made though the disk has room is told of, and keeps no message back", async () => {
  const path = temporaryFile();
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  // The draft cannot be written and cannot be tidied up.
  mkdirSync(`${path}-new`);
  const ballast = new Ballast({ path, bytes, clock, logger });
  expect([ballast.hasRoom(), ballast.hasRoom()]).toEqual([true, true]);
  expect(logger.lines).toEqual([expect.stringMatching(/^warn could not set room aside/)]);
  rmSync(`${path}-new`, { recursive: true });
  await clock.advance(1000);
  expect(ballast.hasRoom()).toBe(true);
  expect(statSync(path).size).toBe(bytes);
  ballast.drop();
  expect(ballast.hasRoom()).toBe(false);
});
