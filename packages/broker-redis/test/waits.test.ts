import type { Delivery } from "@q/core/broker";
import { describe, expect, test, vi } from "vitest";
import { startServer } from "./connecting.ts";
import { labelOf, message, messages } from "./messages.ts";
import { calls, openBroker, ready, startProxy, startSeasonedServer, untilHeld, untilWaiting } from "./waiting.ts";

describe("an idle consumer", () => {
  test("is given a message with the answer to its wait, and waits again", async () => {
    const server = await startServer();
    const worker = await openBroker(server.port, "default");
    const sender = await openBroker(server.port, "default");
    const arrived: Delivery[] = [];
    await worker.consume(["default"], { prefetch: 10 }, (delivery) => void arrived.push(delivery));
    const send = async (label: string): Promise<void> => {
      await untilWaiting(server);
      await sender.publish([message(label)]);
      await vi.waitFor(() => expect(arrived.map(labelOf)).toContain(label), 5000);
    };
    // The server does not know the scripts yet.
    await send("first");
    const before = await calls(server, "evalsha");
    await send("second");
    await untilWaiting(server);
    // One that stores it and one that takes it.
    expect((await calls(server, "evalsha")) - before).toBe(2);
  });

  test.each([
    ["with that answer", 10],
    ["as far as its hands are free", 3],
  ])("is given what else is there %s", async (_, prefetch) => {
    const server = await startSeasonedServer();
    const worker = await openBroker(server.port, "default");
    const sender = await openBroker(server.port, "default");
    const arrived: string[] = [];
    await worker.consume(["default"], { prefetch }, (delivery) => void arrived.push(labelOf(delivery)));
    await untilWaiting(server);
    // From then on the server knows what stores them, too.
    await sender.publish([message("of nobody here", { queue: "other" })]);
    const before = await calls(server, "evalsha");
    await sender.publish(messages(5));
    const expected = ["m1", "m2", "m3", "m4", "m5"].slice(0, prefetch);
    await vi.waitFor(() => expect(arrived).toEqual(expected), 5000);
    // One that stores them and one that takes them.
    expect((await calls(server, "evalsha")) - before).toBe(2);
    expect(await ready(server, ["default"])).toBe(5 - expected.length);
  });

  test("takes by looking what a wait did not bring", async () => {
    const server = await startSeasonedServer();
    const worker = await openBroker(server.port, "default");
    const arrived: Delivery[] = [];
    await worker.consume(["default"], { prefetch: 2 }, (delivery) => {
      arrived.push(delivery);
      void delivery.settle({ kind: "ack" });
    });
    await untilWaiting(server);
    await worker.publish(messages(5));
    await vi.waitFor(() => expect(arrived.map(labelOf)).toEqual(["m1", "m2", "m3", "m4", "m5"]), 5000);
  });

  test.each([
    { name: "gives back what comes when its hands are full", prefetch: 1, perQueue: 1, heldOfEach: 1 },
    { name: "takes of each queue what it has hands for", prefetch: 4, perQueue: 4, heldOfEach: 2 },
  ])("$name", async ({ prefetch, perQueue, heldOfEach }) => {
    const server = await startSeasonedServer();
    const proxy = await startProxy(server);
    const queues = ["default", "other"];
    const worker = await openBroker(proxy.port, ...queues);
    const sender = await openBroker(server.port, ...queues);
    const arrived: Delivery[] = [];
    await worker.consume(queues, { prefetch }, (delivery) => void arrived.push(delivery));
    await untilWaiting(server, 2);
    // Both waits bring something before it hears of one.
    proxy.blackhole();
    const sent = queues.flatMap((queue) =>
      Array.from({ length: perQueue }, (_, index) => message(`${queue} ${index}`, { queue })),
    );
    await sender.publish(sent);
    for (const queue of queues) await untilHeld(server, heldOfEach, queue);
    await proxy.restore();
    await vi.waitFor(() => expect(arrived).toHaveLength(prefetch), 5000);
    await vi.waitFor(async () => expect(await ready(server, queues)).toBe(sent.length - prefetch), 5000);
    expect(arrived).toHaveLength(prefetch);
    await Promise.all(arrived.map((delivery) => delivery.settle({ kind: "ack" })));
    await vi.waitFor(() => expect(arrived.map(labelOf).toSorted()).toEqual(sent.map(({ id }) => id)), 5000);
  });

  test("gives back what comes in a paused queue, and waits no more", async () => {
    const server = await startSeasonedServer();
    const worker = await openBroker(server.port, "default");
    const arrived: string[] = [];
    await worker.consume(["default"], { prefetch: 10 }, (delivery) => void arrived.push(labelOf(delivery)));
    await untilWaiting(server);
    await worker.inspector.pause?.("default");
    await worker.publish(messages(1));
    await untilWaiting(server, 0);
    expect(await server.command("llen", "default")).toBe(1);
    await worker.inspector.resume?.("default");
    await vi.waitFor(() => expect(arrived).toEqual(["m1"]), 5000);
  });
});
