import type { ConsumeMessage } from "amqplib";
import { silentLogger } from "@q/core/broker";
import { FakeClock } from "@q/core/testing";
import { expect, test } from "vitest";
import { Unanswered } from "./amqp-error.ts";
import type { Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import type { Pauses } from "./pauses.ts";
import type { Store } from "./store.ts";
import { Tap } from "./tap.ts";

/** A link with a channel on which the test hands messages out. */
function fakeLink() {
  const lost = new AbortController();
  let onMessage: (found: ConsumeMessage | null) => void = () => undefined;
  const channel = {
    prefetch: async () => {},
    close: async () => {},
    consume: async (_queue: string, listener: typeof onMessage) => {
      onMessage = listener;
      return { consumerTag: "tag" };
    },
  };
  const callSeparately = <T>(answer: Promise<T>): Promise<T> => answer;
  return {
    // All that is used of it.
    link: { lost: lost.signal, separateChannel: async () => channel, callSeparately } as unknown as Link,
    deliver: () => onMessage({ fields: { deliveryTag: 1, consumerTag: "tag" } } as ConsumeMessage),
    cancel: () => onMessage(null),
    lose: () => lost.abort(new Error("cut")),
  };
}

test("of a queue that gives no answer, what came before goes back, and what comes on its own connection stays", async () => {
  const [shared, own] = [fakeLink(), fakeLink()];
  const clock = new FakeClock();
  const log: string[] = [];
  const store = {
    clock,
    logger: silentLogger,
    apart: new Set(),
    marks: { declare: async () => {} },
    topology: {
      delays: { ensure: async () => {} },
      redeclare: async (link: Link) => {
        if (link === shared.link) throw new Unanswered("no answer", { sent: true });
      },
    },
    connect: async () => ({ onLink: (listener) => (listener(own.link), () => true) }) as Pick<Connection, "onLink">,
  };
  const tap = new Tap({
    queue: "stuck",
    // All that is used of them.
    store: store as unknown as Store,
    pauses: { refresh: async () => {}, isPaused: () => false } as unknown as Pauses,
    prefetch: () => 1,
    stopped: new AbortController().signal,
    onMessage: ({ link }) => void log.push(link === own.link ? "came on its own" : "came"),
    onLost: () => void log.push("lost"),
  });
  await tap.begin(shared.link);
  shared.deliver();
  shared.cancel();
  // It is looked for, without an answer.
  await clock.advance("1s");
  own.deliver();
  shared.lose();
  expect(log).toEqual(["came", "lost", "came on its own"]);
});
