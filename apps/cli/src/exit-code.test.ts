import { BrokerError, ConfigError, QError } from "@q/core";
import { expect, test } from "vitest";
import { LoadError, NotFoundError } from "./cli-errors.ts";
import { exitCodeOf } from "./exit-code.ts";

test.each([
  [new BrokerError("Q1001", "unreachable"), 3],
  [new BrokerError("Q1002", "refused"), 3],
  [new BrokerError("Q1007", "another file"), 2],
  [new BrokerError("Q1011", "locked"), 3],
  [new BrokerError("Q1102", "no answer"), 1],
  [new ConfigError("Q1005", "not installed"), 2],
  [new ConfigError("Q2001", "no config"), 2],
  [new NotFoundError("Q2003", "no such queue on the command line"), 4],
  [new LoadError("Q2003", "no such queue in a task file"), 2],
  [new QError("Q2105", "no such dead task"), 4],
  [new QError("Q2106", "nobody to ask"), 6],
  [new QError("Q2108", "no answer in time"), 5],
  [new QError("Q3001", "wrong arguments"), 2],
  [new QError("Q4010", "ran too long"), 1],
  [new QError("Q1025", "no such vhost"), 3],
  [new QError("Q4013", "a handler left"), 70],
  [new TypeError("x"), 70],
  ["a string", 70],
  [Object.assign(new Error("connect"), { code: "ECONNREFUSED" }), 70],
])("%s ends with %i", (error, expected) => {
  expect(exitCodeOf(error)).toBe(expected);
});
