import { expect, test } from "vitest";
import { readArguments } from "./bench-arguments.ts";
import { chooseWorkloads } from "./choose-workloads.ts";
import { workloads } from "./workloads.ts";

test("without arguments everything is run, five times, and kept", () => {
  expect(readArguments([])).toEqual({
    asksForHelp: false,
    onlyDraws: false,
    fields: ["redis", "amqp-quorum", "amqp-classic", "sqlite", "postgres"],
    isQuick: false,
    repeats: 5,
    peers: [],
    workloads: [],
    tasks: Infinity,
    suffix: "",
  });
});

test("fields are taken by what their names contain", () => {
  expect(readArguments(["--field", "amqp"]).fields).toEqual(["amqp-quorum", "amqp-classic"]);
  expect(readArguments(["--field", "classic,redis"]).fields).toEqual(["redis", "amqp-classic"]);
});

test("help can be asked for", () => {
  expect(readArguments(["-h"])).toMatchObject({ asksForHelp: true });
});

test("charts can be drawn alone", () => {
  expect(readArguments(["--draw"])).toMatchObject({ onlyDraws: true });
});

test("a field alone is kept: its results are files of their own", () => {
  expect(readArguments(["--field", "redis"])).toMatchObject({ suffix: "" });
});

test("a quick run does not overwrite the results of a full one, and neither does one with a name", () => {
  expect(readArguments(["--quick"])).toMatchObject({ isQuick: true, repeats: 1, suffix: "-quick" });
  expect(readArguments(["--name", "mine"])).toMatchObject({ suffix: "-mine" });
});

test("a part of the bench writes no results, unless they have a name", () => {
  expect(readArguments(["--workloads", "drain", "--workloads", "bulk"])).toMatchObject({
    workloads: ["drain", "bulk"],
    suffix: undefined,
  });
  expect(readArguments(["--peers", "q", "--name", "mine"])).toMatchObject({ peers: ["q"], suffix: "-mine" });
});

test("a workload is named as it is called, with its commas", () => {
  const given = readArguments(["--field", "redis", "--workloads", "drain, concurrency 100"]);
  expect(chooseWorkloads(workloads.redis, given).chosen.map(({ name }) => name)).toEqual(["drain, concurrency 100"]);
  for (const { name } of workloads.redis)
    expect(readArguments(["--workloads", name, "--workloads", "drain"]).workloads).toEqual([name, "drain"]);
});

test("with few tasks it is no measurement, and nothing is written", () => {
  expect(readArguments(["--tasks", "5"])).toMatchObject({ tasks: 5, suffix: undefined });
});

test("a field, a peer, a workload or an option that is not known is refused", () => {
  expect(() => readArguments(["--field", "kafka"])).toThrow('no field is called "kafka": redis, amqp-quorum');
  expect(() => readArguments(["--field", "redis,"])).toThrow('no field is called ""');
  expect(() => readArguments(["--peers", "q,resque"])).toThrow('no peer is called "resque": q, bullmq');
  expect(() => readArguments(["--field", "redis", "--peers", "raw-amqplib"])).toThrow("raw-amqplib");
  expect(() => readArguments(["--field", "redis", "--workloads", "nap"])).toThrow('"nap" in its name: enqueue, one');
  expect(() => readArguments(["--quik"])).toThrow("--quik");
  expect(() => readArguments(["--repeats", "0"])).toThrow("--repeats");
  expect(() => readArguments(["--tasks", "few"])).toThrow("--tasks");
});
