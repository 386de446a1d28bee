import assert, { AssertionError } from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { memoryBroker, MemoryStore, type MemoryBroker } from "@q/core/testing";
import type { Check } from "./check.ts";
import type { Harness } from "./harness.ts";
import { runCheck } from "./run-check.ts";

const store = new MemoryStore();
const bare: Harness = { create: () => memoryBroker({ store }), latenessMs: 20, recoveryMs: 20, patienceMs: 50 };
const checkOf = (run: Check["run"], changes: Partial<Check> = {}): Check => ({ name: "a law", run, ...changes });
const passes = checkOf(async () => undefined);

describe("runCheck", () => {
  test("skips a check whose need is absent, and says what is missing", async () => {
    const never = checkOf(async () => assert.fail("it ran"), { needs: ["inspector", "crash"] });
    await expect(runCheck(never, bare)).resolves.toEqual({ kind: "skipped", reason: "the harness has no crash()" });
    const poor: Harness = { ...bare, create: () => ({ ...withoutParts(memoryBroker({ store })) }) };
    await expect(runCheck(checkOf(never.run, { needs: ["leases"] }), poor)).resolves.toEqual({
      kind: "skipped",
      reason: "the memory broker has no leases",
    });
    await expect(runCheck(checkOf(never.run, { needs: ["peek"] }), poor)).resolves.toMatchObject({
      reason: "the memory broker cannot peek",
    });
  });

  test("skips an exception, with its reason", async () => {
    const harness = { ...bare, exceptions: { "a law": "the store has no clock" } };
    const result = { kind: "skipped", reason: "a known exception: the store has no clock" };
    await expect(
      runCheck(
        checkOf(async () => assert.fail("it ran")),
        harness,
      ),
    ).resolves.toEqual(result);
  });

  test("closes what the check opened and cleans up, also when it fails", async () => {
    const opened: MemoryBroker[] = [];
    const cleaned: string[] = [];
    const harness: Harness = {
      ...bare,
      create() {
        const broker = memoryBroker({ store });
        opened.push(broker);
        return broker;
      },
      cleanUp: ({ id }) => void cleaned.push(id),
    };
    const fails = checkOf(async (world) => {
      await world.broker();
      assert.fail("broken");
    });
    await expect(runCheck(fails, harness)).rejects.toThrow("broken");
    expect(opened.map(({ connected }) => connected)).not.toContain(true);
    await expect(runCheck(passes, harness)).resolves.toEqual({ kind: "passed" });
    expect(new Set(cleaned).size).toBe(2);
  });

  test("gives up on a check that never ends", async () => {
    await expect(
      runCheck(
        checkOf(() => new Promise(() => undefined)),
        bare,
      ),
    ).rejects.toThrow(AssertionError);
  });

  test("fails a check whose broker does not close", async () => {
    const harness: Harness = {
      ...bare,
      create: () => ({ ...withoutParts(memoryBroker({ store })), close: () => new Promise(() => undefined) }),
    };
    const opens = checkOf(async (world) => void (await world.broker()));
    await expect(runCheck(opens, harness)).rejects.toThrow(/every broker closes/);
  });

  test("gives each check its own queues", async () => {
    const queues: string[] = [];
    const notes = checkOf(async (world) => void queues.push(world.queue, world.queueNamed("other")));
    await runCheck(notes, bare);
    await runCheck(notes, bare);
    expect(new Set(queues).size).toBe(4);
  });
});

/** A broker with the required parts only. */
function withoutParts(broker: MemoryBroker): Awaited<ReturnType<Harness["create"]>> {
  return {
    name: broker.name,
    address: broker.address,
    connected: false,
    open: (context) => broker.open(context),
    declare: (queues) => broker.declare(queues),
    publish: (messages) => broker.publish(messages),
    consume: (queues, options, onDelivery) => broker.consume(queues, options, onDelivery),
    close: () => broker.close(),
  };
}
