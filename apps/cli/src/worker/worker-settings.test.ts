import { hostname } from "node:os";
import { describe, expect, test } from "vitest";
import { readWorkerSettings } from "./worker-settings.ts";

describe("readWorkerSettings", () => {
  test("a flag beats the environment, which beats the default; each says where it is from", () => {
    const env = { Q_CONCURRENCY: "5", Q_NAME: "w@%h", NOISE: "x" };
    expect(readWorkerSettings({ concurrency: "7" }, env).concurrency).toEqual({ value: 7, from: "--concurrency" });
    expect(readWorkerSettings({}, env).concurrency).toEqual({ value: 5, from: "Q_CONCURRENCY" });
    expect(readWorkerSettings({}, {}).concurrency).toEqual({ value: 10, from: "default" });
    expect(readWorkerSettings({}, env).name.value).toBe(`w@${hostname()}`);
  });

  test("the names of several processes differ, also when the one that is given does not say where", () => {
    const flags = { processes: "3", name: "w@%h" };
    expect(readWorkerSettings(flags, {}, 2).name.value).toBe(`w@${hostname()}-2`);
    expect(readWorkerSettings({ ...flags, name: "w%i@a" }, {}, 2).name.value).toBe("w2@a");
    expect(readWorkerSettings({ processes: "3" }, {}, 2).name.value).toBeUndefined();
  });

  test("the one process of a worker keeps its name, with a number only where it asks for one", () => {
    expect(readWorkerSettings({ name: "w" }, {}, 1).name.value).toBe("w");
    expect(readWorkerSettings({ name: "w%i" }, {}).name.value).toBe("w1");
  });

  test("an empty variable counts as absent", () => {
    expect(readWorkerSettings({}, { Q_CONCURRENCY: "" }).concurrency.from).toBe("default");
  });

  test("a bad value is refused by the name of who gave it", () => {
    expect(() => readWorkerSettings({}, { Q_CONCURRENCY: "many" })).toThrow(/^Q_CONCURRENCY is "many"/);
    expect(() => readWorkerSettings({ concurrency: "0" }, {})).toThrow(/^--concurrency is "0"/);
    expect(() => readWorkerSettings({}, { Q_SHUTDOWN_TIMEOUT: "25" })).toThrow(/^Q_SHUTDOWN_TIMEOUT is "25"/);
  });

  test("log levels are taken in any case, and in Celery's words", () => {
    expect(readWorkerSettings({ logLevel: "INFO" }, {}).logLevel.value).toBe("info");
    expect(readWorkerSettings({ logLevel: "WARNING" }, {}).logLevel.value).toBe("warn");
    expect(() => readWorkerSettings({ logLevel: "loud" }, {})).toThrow("expected one of debug, info, warn, error");
  });

  test("systemd's debug restart shows everything, unless the command line says otherwise", () => {
    const env = { DEBUG_INVOCATION: "1", Q_LOG_LEVEL: "error" };
    expect(readWorkerSettings({}, env).logLevel).toEqual({ value: "debug", from: "DEBUG_INVOCATION" });
    expect(readWorkerSettings({ logLevel: "warn" }, env).logLevel.value).toBe("warn");
  });

  test("queues come from repeated flags or from the environment", () => {
    expect(readWorkerSettings({ queues: ["a,b", "c"] }, {}).queues.value).toEqual(["a", "b", "c"]);
    expect(readWorkerSettings({ queues: [] }, { Q_QUEUES: "x,y:2" }).queues).toEqual({
      value: ["x", "y:2"],
      from: "Q_QUEUES",
    });
  });
});
