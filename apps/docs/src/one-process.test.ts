import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { printPrices } from "../examples/one-process.ts";

test("the example with sender and worker in one process does all its tasks and ends", async () => {
  const folder = await mkdtemp(join(tmpdir(), "q-one-process-"));
  try {
    const lines: string[] = [];
    await printPrices(`sqlite:${folder}/q.db`, [1999, 500, 7], (line) => lines.push(line));
    expect(lines.toSorted()).toEqual(["EUR 0.07", "EUR 19.99", "EUR 5.00"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
