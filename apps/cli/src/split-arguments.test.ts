import { describe, expect, test } from "vitest";
import type { Flag } from "./flag.ts";
import { splitArguments } from "./split-arguments.ts";

const flag = (names: string, value: Flag["value"]): Flag => {
  const list = names.split(",");
  return { names: list, long: list.at(-1) ?? "", value, valueName: value === "none" ? "" : "x", about: "about it" };
};

const known = [
  flag("-c,--concurrency", "required"),
  flag("-Q,--queues", "required"),
  flag("-v,--verbose", "none"),
  flag("-y,--yes", "none"),
  flag("--watch", "optional"),
  flag("-k,--kwargs", "required"),
];

describe("splitArguments", () => {
  test.each([["-c4"], ["-c=4"], ["-c", "4"], ["--concurrency=4"], ["--concurrency", "4"]])(
    "reads %s %s as the same flag",
    (...args: string[]) => {
      expect(splitArguments(args, known)).toEqual({ flags: ["--concurrency=4"], operands: [] });
    },
  );

  test("a bundle of short flags may end in one with a value", () => {
    expect(splitArguments(["-vyc", "4", "-vQa,b"], known).flags).toEqual([
      "--verbose",
      "--yes",
      "--concurrency=4",
      "--verbose",
      "--queues=a,b",
    ]);
  });

  test("a value may begin with a dash", () => {
    expect(splitArguments(["-c", "-4", "--concurrency=--x"], known).flags).toEqual([
      "--concurrency=-4",
      "--concurrency=--x",
    ]);
  });

  test("a value may hold equals signs and line breaks", () => {
    expect(splitArguments(["-k", '{"a":\n"b=c"}'], known).flags).toEqual(['--kwargs={"a":\n"b=c"}']);
  });

  test("a lone dash is an operand, and so is everything behind two dashes", () => {
    expect(splitArguments(["send", "-", "--", "-c", "--yes"], known)).toEqual({
      flags: [],
      operands: ["send", "-", "-c", "--yes"],
    });
  });

  test("an optional value is taken from the next word only when it is a duration", () => {
    expect(splitArguments(["--watch", "5s"], known)).toEqual({ flags: ["--watch=5s"], operands: [] });
    expect(splitArguments(["--watch", "email"], known)).toEqual({ flags: ["--watch"], operands: ["email"] });
    expect(splitArguments(["--watch"], known).flags).toEqual(["--watch"]);
  });

  test("an optional glob is taken from the next word unless that is a flag", () => {
    const watch: Flag = { ...flag("--watch", "optional"), valueName: "glob" };
    expect(splitArguments(["--watch", "src/**/*.ts"], [watch])).toEqual({
      flags: ["--watch=src/**/*.ts"],
      operands: [],
    });
    expect(splitArguments(["--watch", "-c4"], [watch, ...known]).flags).toEqual(["--watch", "--concurrency=4"]);
  });

  test("a misspelt flag is refused with the one that was probably meant", () => {
    expect(() => splitArguments(["--concurency", "4"], known)).toThrow(
      expect.objectContaining({ code: "Q2102", hint: 'Did you mean "--concurrency"?' }),
    );
    expect(() => splitArguments(["-vx"], known)).toThrow(
      expect.objectContaining({ message: "unknown option -x in -vx" }),
    );
  });

  test("a missing value is refused, also when another flag follows", () => {
    expect(() => splitArguments(["--queues"], known)).toThrow(expect.objectContaining({ code: "Q2103" }));
    expect(() => splitArguments(["--queues", "--yes"], known)).toThrow("--queues needs a value");
  });

  test("a flag without a value refuses one", () => {
    expect(() => splitArguments(["--yes=1"], known)).toThrow("--yes takes no value");
  });
});
