import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { peerNames } from "../src/peers.ts";
import { workloads } from "../src/workloads.ts";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

test("every peer gets through every workload, with a few tasks", { timeout: 600_000 }, async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, "--repeats", "1", "--tasks", "20"]);
  for (const { name, needsDelays } of workloads) {
    const peers = peerNames.filter((peer) => needsDelays !== true || peer !== "raw-redis");
    expect(stderr.split("\n")).toEqual(expect.arrayContaining(peers.map((peer) => `1 of 1: ${name}, ${peer}`)));
    expect(stdout).toContain(`| ${name} |`);
  }
});
