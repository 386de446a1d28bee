import { expect, test } from "vitest";
import { fieldNames } from "./field-name.ts";
import { loadAnyPeer, loadPeer, peerNames } from "./peers.ts";
import { workloads } from "./workloads.ts";

test.each(fieldNames)("what a peer of %s takes part in or leaves out is a workload there", async (field) => {
  for (const name of peerNames(field)) {
    const { takesPartIn = [], leavesOut = [] } = await loadAnyPeer(field, name);
    for (const part of [...takesPartIn, ...leavesOut])
      expect(workloads[field].filter((workload) => workload.name.includes(part))).not.toEqual([]);
  }
});

test("a peer in Python is none for a process in node", async () => {
  await expect(loadPeer("redis", "celery-threads")).rejects.toThrow("does not run in node");
});
