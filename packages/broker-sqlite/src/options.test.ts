import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { sqlite } from "./index.ts";
import { readOptions } from "./options.ts";

describe("sqlite()", () => {
  test("stands for .q/q.db in the working directory when it is told nothing", () => {
    expect(readOptions({})).toEqual({
      path: resolve(".q/q.db"),
      address: "sqlite:.q/q.db",
      durable: true,
      lockTimeoutMs: 5000,
    });
    expect(sqlite().address).toBe("sqlite:.q/q.db");
    expect(readOptions("sqlite:")).toEqual(readOptions({}));
  });

  test.each([
    ["sqlite:.q/q.db", resolve(".q/q.db")],
    ["sqlite:queue.db", resolve("queue.db")],
    ["sqlite:/var/lib/app/q.db", "/var/lib/app/q.db"],
    ["sqlite:///var/lib/app/q.db", "/var/lib/app/q.db"],
    ["sqlite:/with%20space/%25.db", "/with space/%.db"],
    ["sqlite:/ünïcode/q.db", "/ünïcode/q.db"],
    ["sqlite:/a.db?synchronous=normal", "/a.db"],
  ])("reads the path of %s", (url, path) => {
    expect(readOptions(url).path).toBe(path);
  });

  test("reads options from the URL's parameters", () => {
    expect(readOptions("sqlite:q.db?synchronous=normal&lockTimeout=250ms")).toMatchObject({
      durable: false,
      lockTimeoutMs: 250,
      address: "sqlite:q.db",
    });
  });

  test.each([
    ["Q2011", "sqlite:q.db?synchronus=normal"],
    ["Q2011", "sqlite:q.db?path=other.db"],
    ["Q2022", "sqlite:q.db?synchronous=off"],
    ["Q2010", "sqlite:q.db?lockTimeout=5"],
    ["Q2021", "sqlite://relative/q.db"],
    ["Q2021", "sqlite::memory:"],
    ["Q2021", "sqlite:%E0%A4%A"],
    ["Q2021", "redis://localhost"],
  ])("refuses with %s: %s", (code, url) => {
    expect(() => sqlite(url)).toThrow(expect.objectContaining({ code, name: "ConfigError" }));
  });

  test("a password in a URL that it refuses is not repeated", () => {
    const refused = (): unknown => sqlite("sqlite://app:hunter2@host/q.db");
    expect(refused).toThrow(expect.objectContaining({ code: "Q2021" }));
    expect(refused).not.toThrow(/hunter2/);
  });

  test("refuses options from plain JavaScript that it does not know", () => {
    const options = { path: "q.db", busyTimeout: 5 };
    expect(() => sqlite(options)).toThrow('the SQLite broker has an unknown option "busyTimeout"');
  });

  test("answers to sqlite: URLs", () => {
    expect(sqlite.schemes).toEqual(["sqlite:"]);
  });
});
