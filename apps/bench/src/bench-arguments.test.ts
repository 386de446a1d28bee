import { expect, test } from "vitest";
import { readArguments } from "./bench-arguments.ts";
import { peerNames } from "./peers.ts";

test("without arguments everything is run, five times, and kept", () => {
  expect(readArguments([])).toEqual({
    isQuick: false,
    repeats: 5,
    peers: peerNames,
    workloads: [],
    tasks: Infinity,
    name: "redis",
  });
});

test("a quick run does not overwrite the results of a full one", () => {
  expect(readArguments(["--quick"])).toMatchObject({ isQuick: true, repeats: 2, name: "redis-quick" });
});

test("a part of the bench writes no results, unless they have a name", () => {
  expect(readArguments(["--workloads", "drain,bulk"])).toMatchObject({ workloads: ["drain", "bulk"], name: undefined });
  expect(readArguments(["--peers", "q", "--name", "mine"])).toMatchObject({ peers: ["q"], name: "mine" });
});

test("with few tasks it is no measurement, and nothing is written", () => {
  expect(readArguments(["--tasks", "5"])).toMatchObject({ tasks: 5, name: undefined });
});

test("a peer or an option that is not known is refused", () => {
  expect(() => readArguments(["--peers", "q,resque"])).toThrow('no peer is called "resque": q, bullmq');
  expect(() => readArguments(["--quik"])).toThrow("--quik");
  expect(() => readArguments(["--repeats", "0"])).toThrow("--repeats");
  expect(() => readArguments(["--tasks", "few"])).toThrow("--tasks");
});
