import { describe, expect, test } from "vitest";
import { commandTable } from "./command-table.ts";
import { dispatch } from "./dispatch.ts";

function called(...argv: string[]): string {
  const request = dispatch(argv);
  switch (request.kind) {
    case "command":
      return `${request.entry.path}: ${request.args.join(" ")}`.trim();
    case "help":
      return `help ${request.entry?.path ?? request.group ?? "all"}`;
    case "version":
      return "version";
    case "unknown":
      return `unknown ${request.words}`;
    case "no-command":
      return `no command, ${request.flag}`;
  }
}

describe("dispatch", () => {
  test.each([
    [["worker", "-c", "4"], "worker: -c 4"],
    [["run", "worker", "-c4"], "worker: -c4"],
    [["call", "hello"], "send: hello"],
    [["queues"], "queues list:"],
    [["queues", "--json"], "queues list: --json"],
    [["queues", "pause", "email"], "queues pause: email"],
    [["purge", "email"], "queues purge: email"],
    [["dead"], "dead list:"],
  ])("finds the command in %j", (argv, expected) => {
    expect(called(...argv)).toBe(expected);
  });

  test("global flags may stand before the command, also with a value", () => {
    expect(called("--config", "a/q.config.ts", "--json", "status")).toBe("status: --config a/q.config.ts --json");
    expect(called("--log-level=debug", "worker")).toBe("worker: --log-level=debug");
  });

  test.each([
    [[], "help all"],
    [["help"], "help all"],
    [["--help"], "help all"],
    [["help", "worker"], "help worker"],
    [["help", "dead", "retry"], "help dead retry"],
    [["help", "queues"], "help queues"],
    [["queues", "--help"], "help queues"],
    [["queues", "pause", "-h"], "help queues pause"],
    [["send", "--help"], "help send"],
    [["run"], "help run"],
    [["--version"], "version"],
    [["version"], "version"],
  ])("%j asks for help or version", (argv, expected) => {
    expect(called(...argv)).toBe(expected);
  });

  test.each([
    [["--foo"], "no command, --foo"],
    [["--json", "-c4"], "no command, -c4"],
    [["--config", "a/q.config.ts"], "no command, --config"],
    [["--broker=redis://app:hunter2@cache"], "no command, --broker"],
    [["--json"], "help all"],
    [["-q", "--no-color"], "help all"],
    [["--foo", "--help"], "help all"],
    [["--foo", "--version"], "version"],
    [["--"], "help all"],
  ])("%j has no command", (argv, expected) => {
    expect(called(...argv)).toBe(expected);
  });

  test("a help flag behind two dashes is an operand", () => {
    expect(called("send", "hello", "--", "-h")).toBe("send: hello -- -h");
  });

  test("a word behind a group that is none of its verbs is unknown, not an operand", () => {
    expect(called("dead", "lst")).toBe("unknown dead lst");
    expect(called("wroker")).toBe("unknown wroker");
  });

  test("no two commands answer to the same words", () => {
    const names = commandTable.flatMap(({ path, aliases = [] }) => [path, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
  });
});
