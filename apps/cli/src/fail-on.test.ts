import type { QueueStats } from "@q/core/broker";
import { describe, expect, test } from "vitest";
import { metConditions, parseFailOn } from "./fail-on.ts";

const stats: QueueStats = {
  queue: "email",
  ready: 5,
  delayed: 0,
  inFlight: 1,
  dead: 0,
  oldestReadyMs: 301_000,
  consumers: null,
  paused: false,
};

function met(text: string): string[] {
  return metConditions(parseFailOn(text), [stats]);
}

describe("--fail-on", () => {
  test.each([
    ["oldest>5m", 1],
    ["oldest>6m", 0],
    ["waiting>=5", 1],
    ["waiting<5", 0],
    ["dead>0", 0],
    ["dead<=0", 1],
    ["oldest > 5m, waiting > 1", 2],
  ])("%s is met %i times", (text, expected) => {
    expect(met(text)).toHaveLength(expected);
  });

  test("what is met is told with what there is, a time as people write it", () => {
    expect(met("oldest>5m,waiting>1")).toEqual(["email: oldest>5m (5 min 1 s)", "email: waiting>1 (5)"]);
  });

  test("what the broker cannot tell counts as met", () => {
    expect(met("workers<1")).toEqual(["email: this broker cannot tell workers"]);
  });

  test.each(["oldest", "size>3", "dead=0", "dead>", "dead>x", "toString>1", ""])("%j is refused", (text) => {
    expect(() => parseFailOn(text)).toThrow(/--fail-on does not understand|expected a number with a unit/);
  });

  test("a limit for oldest needs a unit", () => {
    expect(() => parseFailOn("oldest>5")).toThrow(expect.objectContaining({ code: "Q2010" }));
  });
});
