import assert, { AssertionError } from "node:assert/strict";
import { describe, test, vi } from "vitest";
import { checks, runCheck, type Check } from "../src/index.ts";
import { faultyHarness, type Fault } from "./faults/fault.ts";
import { faults } from "./faults/index.ts";

// Nearly all of the time is waiting for what a broken broker never does.
vi.setConfig({ maxConcurrency: 20 });

const byName = new Map(checks.map((check) => [check.name, check]));

/** It listens to the whole process, so nothing may go wrong beside it. */
const alone = "no rejection is left unhandled: what fails, fails to its caller";

test("every law of the kit has a name of its own", () => {
  assert.equal(byName.size, checks.length);
});

test("every law of the kit is broken by a planted fault", () => {
  const caught = new Set(faults.flatMap((fault) => fault.caughtBy));
  assert.deepEqual(
    checks.map(({ name }) => name).filter((name) => !caught.has(name)),
    [],
  );
});

test(`${alone}: fails when it is broken`, async () => {
  const [fault] = faults.filter(({ caughtBy }) => caughtBy.includes(alone));
  assert.ok(fault !== undefined);
  await runCheck(checkNamed(alone), faultyHarness());
  await assertCatches(checkNamed(alone), fault);
});

describe.concurrent("a healthy broker behind the same wrapping passes", () => {
  for (const check of checks.filter(({ name }) => name !== alone)) {
    test(check.name, async () => {
      assert.deepEqual(await runCheck(check, faultyHarness()), { kind: "passed" });
    });
  }
});

describe.concurrent("a broker fails", () => {
  for (const fault of faults) {
    for (const name of fault.caughtBy.filter((caught) => caught !== alone)) {
      test(`where ${fault.name}: "${name}"`, () => assertCatches(checkNamed(name), fault));
    }
  }
});

function checkNamed(name: string): Check {
  const check = byName.get(name);
  assert.ok(check !== undefined, `no check is called "${name}"`);
  return check;
}

/** The check must fail by its own judgement: a broker that merely breaks down proves nothing. */
async function assertCatches(check: Check, fault: Fault): Promise<void> {
  const verdict = await runCheck(check, faultyHarness(fault)).catch((error: unknown) => error);
  assert.ok(
    verdict instanceof AssertionError,
    `expected the check to fail, got ${JSON.stringify(verdict)} ${String(verdict)}`,
  );
}
