import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { areas } from "./checks/index.ts";
import type { Harness } from "./harness.ts";
import { longestCheckMs, runCheck } from "./run-check.ts";

/**
 * Registers every check as a vitest test; they run concurrently. Call it at the top of a test file.
 * @param name the adapter, as it shall stand in the report: `"redis"`
 */
export function testBroker(name: string, harness: Harness): void {
  const known = new Set(Object.values(areas).flatMap((checks) => checks.map((check) => check.name)));
  describe(`${name} broker`, () => {
    for (const [area, checks] of Object.entries(areas)) {
      describe.concurrent(area, () => {
        for (const check of checks) {
          test(check.name, { timeout: 2 * longestCheckMs(harness) + 1000 }, async (context) => {
            const result = await runCheck(check, harness);
            if (result.kind === "skipped") context.skip(result.reason);
          });
        }
      });
    }

    test("every exception names a check of the kit", () => {
      assert.deepEqual(
        Object.keys(harness.exceptions ?? {}).filter((exception) => !known.has(exception)),
        [],
      );
    });
  });
}
