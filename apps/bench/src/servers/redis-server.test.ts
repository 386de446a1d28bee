import { expect, test } from "vitest";
import { readCounters } from "./redis-server.ts";

const info = [
  "# Memory",
  "used_memory:1048576",
  "used_memory_rss:9999999",
  "# Stats",
  "total_commands_processed:1234",
  "# CPU",
  "used_cpu_sys:0.250000",
  "used_cpu_user:1.500000",
  "used_cpu_sys_children:7.000000",
].join("\r\n");

test("the server's CPU is that of user and system together, without its children's", () => {
  expect(readCounters(info)).toEqual({ commands: 1234, cpuUs: 1_750_000, usedBytes: 1_048_576 });
});

test("a server that does not tell something is an error, not a zero", () => {
  expect(() => readCounters(info.replace("used_memory:", "x:"))).toThrow("used_memory");
});
