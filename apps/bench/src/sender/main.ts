// A producer in a process of its own: connects, then sends what it is told to.
import { setTimeout as pause } from "node:timers/promises";
import { serve } from "../child-side.ts";
import { CpuClock } from "../cpu-clock.ts";
import { nowUs, payloadMaker, type PayloadMaker } from "../payload.ts";
import type { Sender } from "../peer.ts";
import { loadPeer } from "../peers.ts";
import type { Manner, SendCost, SenderSetup, SendOrder } from "./orders.ts";

const inFlight = 100;
const bulkSize = 1000;
/** Long enough for every peer to be idle again. Milliseconds. */
const paceMs = 10;

async function sendInFlight(count: number, send: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const sendNext = async (): Promise<void> => {
    while (next < count) await send(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, sendNext));
}

type Way = (sender: Sender, order: SendOrder, payload: PayloadMaker) => Promise<void>;

const manners: Readonly<Record<Manner, Way>> = {
  "one by one": async (sender, { count }, payload) => {
    for (let index = 0; index < count; index += 1) await sender.send(payload(index));
  },
  "100 in flight": (sender, { count }, payload) => sendInFlight(count, (index) => sender.send(payload(index))),
  bulk: async (sender, { count }, payload) => {
    for (let from = 0; from < count; from += bulkSize) {
      const length = Math.min(bulkSize, count - from);
      await sender.sendMany(Array.from({ length }, (_, index) => payload(from + index)));
    }
  },
  paced: async (sender, { count }, payload) => {
    for (let index = 0; index < count; index += 1) {
      await sender.send(payload(index, nowUs()));
      await pause(paceMs);
    }
  },
  steady: async (sender, { count }, payload) => {
    const startedAt = performance.now();
    const sends: Promise<unknown>[] = [];
    while (sends.length < count) {
      await pause(1);
      const due = Math.min(count, Math.floor(performance.now() - startedAt));
      while (sends.length < due) sends.push(sender.send(payload(sends.length, nowUs())));
    }
    await Promise.all(sends);
  },
  delayed: async (sender, { count, due }, payload) => {
    if (due === undefined) throw new Error("nobody says when the tasks are due");
    await sendInFlight(count, async (index) => {
      const dueUs = Math.round(due.firstUs + (index / due.perSecond) * 1e6);
      const delayMs = Math.max(1, Math.ceil((dueUs - nowUs()) / 1000));
      await sender.sendDelayed?.(payload(index, dueUs), delayMs);
    });
  },
};

await serve(async ({ field, peer, place }: SenderSetup) => {
  const sender = await (await loadPeer(field, peer)).openSender(place);
  return {
    answer: async (order: SendOrder): Promise<SendCost> => {
      const payload = payloadMaker(order.argumentBytes);
      const clock = new CpuClock();
      await manners[order.manner](sender, order, payload);
      return clock.read();
    },
    close: () => sender.close(),
  };
});
