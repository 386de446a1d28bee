import assert from "node:assert/strict";
import type { Broker, Lease } from "@q/core/broker";
import type { Check } from "../check.ts";
import { eventually } from "../wait.ts";
import { leasesOf, type World } from "../world.ts";

export const leaseChecks: readonly Check[] = [
  {
    name: "a lease has one holder",
    needs: ["leases"],
    async run(world) {
      const brokers = await Promise.all(Array.from({ length: 5 }, () => world.broker()));
      // Also a second time in the same process.
      const leases = await Promise.all([...brokers, ...brokers].map((broker) => acquire(world, broker)));
      assert.equal(leases.filter((lease) => lease !== null).length, 1, "holders");
    },
  },
  {
    name: "leases of different names do not hinder each other",
    needs: ["leases"],
    async run(world) {
      const broker = await world.broker();
      assert.notEqual(await acquire(world, broker, "one"), null);
      assert.notEqual(await acquire(world, broker, "two"), null);
    },
  },
  {
    name: "a released lease goes to the next one, and may be released twice",
    needs: ["leases"],
    async run(world) {
      const [first, second] = [await world.broker(), await world.broker()];
      const lease = await mustAcquire(world, first);
      await lease.release();
      await mustAcquire(world, second);
      await lease.release();
      assert.equal(await acquire(world, first), null, "the second release took it from its new holder");
    },
  },
  {
    name: "a lease is renewed for as long as its holder lives",
    needs: ["leases"],
    async run(world) {
      const [holder, other] = [await world.broker(), await world.broker()];
      const lease = await mustAcquire(world, holder);
      await world.pause(2.5 * world.ttlMs);
      assert.equal(lease.lost.aborted, false, "lost aborted while the holder was alive");
      assert.equal(await acquire(world, other), null);
    },
  },
  {
    name: "the fence number of a lease grows with each holder",
    needs: ["leases"],
    async run(world) {
      const brokers = [await world.broker(), await world.broker()];
      let before = -Infinity;
      for (const broker of [...brokers, ...brokers]) {
        const lease = await mustAcquire(world, broker);
        assert.ok(lease.fence > before, `expected more than ${before}, got ${lease.fence}`);
        before = lease.fence;
        await lease.release();
      }
    },
  },
  {
    name: "the lease of a dead holder is free after its time",
    needs: ["leases", "crash"],
    async run(world) {
      const [holder, next] = [await world.broker(), await world.broker()];
      const { fence } = await mustAcquire(world, holder);
      await world.crash(holder);
      const lease = await freeWithin(world, next, world.ttlMs + world.latenessMs);
      assert.ok(lease.fence > fence, `expected more than ${fence}, got ${lease.fence}`);
    },
  },
  {
    name: "the lease of a closed broker is free after its time at the latest",
    needs: ["leases"],
    async run(world) {
      const [holder, next] = [await world.broker(), await world.broker()];
      await mustAcquire(world, holder);
      await holder.close();
      await freeWithin(world, next, world.ttlMs + world.latenessMs);
    },
  },
  {
    name: "lost aborts when a lease could not be renewed",
    needs: ["leases", "expire"],
    async run(world) {
      const [holder, next] = [await world.broker(), await world.broker()];
      const lease = await mustAcquire(world, holder);
      assert.equal(lease.lost.aborted, false);
      await world.expire(holder);
      await freeWithin(world, next, world.soonMs);
      await eventually(() => assert.ok(lease.lost.aborted, "lost did not abort"), world.ttlMs + world.soonMs);
    },
  },
  {
    name: "a late release leaves the lease with its new holder",
    needs: ["leases", "expire"],
    async run(world) {
      const [holder, next] = [await world.broker(), await world.broker()];
      const late = await mustAcquire(world, holder);
      await world.expire(holder);
      const lease = await freeWithin(world, next, world.soonMs);
      await late.release();
      assert.equal(await acquire(world, holder), null, "the late release took it from its new holder");
      assert.equal(lease.lost.aborted, false);
    },
  },
];

async function acquire(world: World, broker: Broker, label = "main"): Promise<Lease | null> {
  return leasesOf(broker).acquire(`kit-${world.id}-${label}`, world.ttlMs);
}

async function mustAcquire(world: World, broker: Broker): Promise<Lease> {
  const lease = await acquire(world, broker);
  assert.ok(lease !== null, "a free lease could not be taken");
  return lease;
}

async function freeWithin(world: World, broker: Broker, withinMs: number): Promise<Lease> {
  const leases: Lease[] = [];
  await eventually(async () => {
    const lease = await acquire(world, broker);
    if (lease !== null) leases.push(lease);
    assert.ok(lease !== null, "the lease is still taken");
  }, withinMs);
  const [lease] = leases;
  assert.ok(lease !== undefined);
  return lease;
}
