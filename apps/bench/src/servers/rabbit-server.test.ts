import { expect, test } from "vitest";
import { readCpuUs } from "./rabbit-server.ts";

const stat = "4711 (beam) x) S 1 4711 4711 0 -1 4194304 90 80 70 60 123 45 900 800 20 0 30 0 1000";

test("the CPU of a process is user and system time, whatever it is called, without that of its children", () => {
  expect(readCpuUs(stat)).toBe(1_680_000);
});

test("a line that does not hold the times is an error, not a zero", () => {
  expect(() => readCpuUs("4711 (beam) S 1")).toThrow("does not tell");
});
