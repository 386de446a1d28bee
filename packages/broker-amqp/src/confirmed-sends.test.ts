import type { ConfirmChannel } from "amqplib";
import { systemClock } from "@q/core/broker";
import { expect, test } from "vitest";
import { FakeChannel } from "../test/fake-connection.ts";
import { ConfirmedSends } from "./confirmed-sends.ts";
import type { Link } from "./link.ts";
import { toQueue } from "./schedule-message.ts";

test.each([
  ["refused is not stored", "refuse", "Q1106"],
  ["without an answer when its channel ends may be stored", "end", "Q1102"],
] as const)("a message that is %s", async (_, ending, code) => {
  const channel = new FakeChannel();
  const sends = new ConfirmedSends({
    link: { blockedBecause: undefined } as Link, // all that is used of it
    channel: channel as unknown as ConfirmChannel, // the same
    clock: systemClock,
    timeoutMs: 10_000,
    ended: new AbortController().signal,
  });
  const sending = sends.send(toQueue("queue", Buffer.from("a"), {}));
  channel[ending]("a");
  await expect(sending).rejects.toMatchObject({ code });
});
