import type { JsonObject } from "@q/core/broker";
import { expect, test } from "vitest";
import {
  decodeState,
  encodeState,
  merged,
  noState,
  withChange,
  withoutSchedule,
  withSchedule,
  withTick,
} from "./schedule-state.ts";

const first = withSchedule(noState("one"), "a", { lastTick: 1000, entry: { every: "1s", args: { ä: [null] } } });

test("a state comes back as it was stored, whatever its schedules are called", () => {
  const state = withTick(withChange(withSchedule(first, "__proto__", { paused: true }), "id"), "a", 2000, "copy");
  expect(decodeState(encodeState(state))).toEqual(state);
});

test("a state comes back with arguments as deep as those of a call", () => {
  let args: JsonObject = {};
  for (let level = 1; level < 63; level += 1) args = { deep: args };
  const state = withSchedule(first, "b", { entry: { every: "1s", args } });
  expect(decodeState(encodeState(state))).toEqual(state);
});

test("of versions of one state the newest counts: what was removed stays so", () => {
  const removed = withoutSchedule(withSchedule(first, "b", { paused: true }), "a");
  expect(merged([first, removed])).toEqual(removed);
  expect(merged([removed, first])).toEqual(removed);
});

test("what begins beside another state takes nothing from it, and no tick of either comes again", () => {
  const long = withSchedule(withSchedule(first, "b", { lastTick: 5000 }), "b", { paused: true });
  const beside = withSchedule(withSchedule(noState("two"), "c", { lastTick: 7000 }), "b", { lastTick: 6000 });
  expect([...merged([beside, long]).schedules.values()]).toEqual([
    { name: "a", lastTick: 1000, paused: false, entry: { every: "1s", args: { ä: [null] } }, counted: [] },
    { name: "b", lastTick: 6000, paused: true, entry: null, counted: [] },
    { name: "c", lastTick: 7000, paused: false, entry: null, counted: [] },
  ]);
});

test("of what counts only the newest is remembered", () => {
  let state = first;
  for (let at = 1; at <= 12; at += 1) state = withTick(state, "a", at, `copy ${at}`);
  expect(state.schedules.get("a")?.counted.map(({ at }) => at)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test("a state that has grown too large is not stored", () => {
  const large = withSchedule(first, "large", { entry: { text: "x".repeat(1024 * 1024) } });
  expect(() => encodeState(large)).toThrow(expect.objectContaining({ code: "Q1028" }));
});

const stored = JSON.parse(encodeState(first).toString()) as Record<string, unknown>; // an object, as above

test.each([
  ["", "not JSON"],
  ["[]", "not a JSON object"],
  [JSON.stringify({ ...stored, format: 2 }), "another format"],
  [JSON.stringify({ ...stored, version: "1" }), "its version"],
  [JSON.stringify({ ...stored, version: 0 }), "its version"],
  [JSON.stringify({ ...stored, schedules: [["a", "1000", false, null]] }), "cannot be read"],
  [JSON.stringify({ ...stored, schedules: [["a", 1000, false, "entry"]] }), "cannot be read"],
  [JSON.stringify({ ...stored, schedules: [["x".repeat(129), 1000, false, null]] }), "cannot be read"],
  [JSON.stringify({ ...stored, schedules: [["a", 1000, false, null, 1000]] }), "cannot be read"],
  [JSON.stringify({ ...stored, schedules: [["a", 1000, false, null, "1000", "copy"]] }), "cannot be read"],
  [JSON.stringify({ ...stored, changes: [1] }), "cannot be read"],
  [JSON.stringify({ ...stored, more: "x".repeat(1024 * 1024) }), "more than q ever writes"],
])("%.60s is no state", (text, reason) => {
  expect(decodeState(Buffer.from(text))).toContain(reason);
});
