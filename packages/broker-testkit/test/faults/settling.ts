import type { Delivery, Outcome, Settled } from "@q/core/broker";
import type { MemoryBroker } from "@q/core/testing";
import { consumeWith, deliveries, settling, type Fault } from "./fault.ts";

/** Broken promises about settling and fencing. */
export const settlingFaults: readonly Fault[] = [
  {
    name: "ack gives the message back",
    caughtBy: ["an acked message does not come again", "an acked message is counted nowhere"],
    broker: settling((outcome, delivery) =>
      outcome.kind === "ack" ? delivery.settle({ kind: "release" }) : undefined,
    ),
  },
  {
    name: "requeue makes a new message",
    caughtBy: ["a requeued message comes again, unchanged and with no crashes"],
    broker: settling((outcome, delivery, healthy) =>
      outcome.kind === "requeue" ? publishAnew(delivery, outcome, healthy) : undefined,
    ),
  },
  {
    name: "requeue merges the headers",
    caughtBy: ["requeue replaces the whole header table when it is given one"],
    broker: settling((outcome, delivery) =>
      outcome.kind === "requeue" && outcome.headers !== undefined && "headers" in delivery.message
        ? delivery.settle({ ...outcome, headers: { ...delivery.message.headers, ...outcome.headers } })
        : undefined,
    ),
  },
  {
    name: "requeue is release",
    caughtBy: ["a requeued message goes behind those that wait", "requeue starts the crash count at zero again"],
    broker: settling((outcome, delivery) =>
      outcome.kind === "requeue" ? delivery.settle({ kind: "release" }) : undefined,
    ),
  },
  {
    name: "requeue forgets its delay",
    caughtBy: ["a message requeued with a delay never comes early"],
    broker: settling((outcome, delivery) =>
      outcome.kind === "requeue" ? delivery.settle({ ...outcome, delayMs: 0 }) : undefined,
    ),
  },
  {
    name: "requeue stores the text of garbage",
    caughtBy: [
      "garbage that is requeued comes again with its bytes",
      "garbage that is requeued with a delay comes again with its bytes",
    ],
    broker: settling((outcome, delivery, _healthy, site) => {
      const { message } = delivery;
      if (outcome.kind !== "requeue" || !("malformed" in message)) return undefined;
      site.store.inject(message.queue, Buffer.from(new TextDecoder().decode(message.raw)));
      return delivery.settle({ kind: "ack" });
    }),
  },
  {
    name: "release is requeue",
    caughtBy: ["a released message is the next one again, unchanged", "release and close keep the crash count"],
    broker: settling((outcome, delivery) =>
      outcome.kind === "release" ? delivery.settle({ kind: "requeue", delayMs: 0 }) : undefined,
    ),
  },
  {
    name: "release loses the headers",
    caughtBy: ["a released message keeps headers, properties and bytes"],
    broker: settling((outcome, delivery) =>
      outcome.kind === "release" ? delivery.settle({ kind: "requeue", delayMs: 0, headers: {} }) : undefined,
    ),
  },
  {
    name: "bury is requeue",
    caughtBy: ["a buried message does not come again", "buried garbage does not come again"],
    broker: settling((outcome, delivery) =>
      outcome.kind === "bury" ? delivery.settle({ kind: "requeue", delayMs: 0 }) : undefined,
    ),
  },
  {
    name: "a second settle is as good as the first",
    caughtBy: ["a second settle answers lost and changes nothing"],
    broker: settling((outcome, delivery) => delivery.settle(outcome).then(() => "settled")),
  },
  {
    name: "messages are settled by id",
    caughtBy: ["settling one of two messages with the same id leaves the other as it is"],
    broker: settling((outcome, delivery, healthy, site) => {
      const twins = site
        .heldBy(healthy)
        .filter(({ message }) => "id" in message && "id" in delivery.message && message.id === delivery.message.id);
      return Promise.all(twins.map((twin) => twin.settle(outcome))).then((answers) =>
        answers.includes("settled") ? "settled" : "lost",
      );
    }),
  },
  {
    name: "a late requeue stores the message again",
    caughtBy: ["a late requeue brings nothing back that the new holder has finished"],
    broker: settling(async (outcome, delivery, healthy) => {
      const answer = await delivery.settle(outcome);
      if (answer === "lost" && outcome.kind === "requeue") await publishAnew(delivery, outcome, healthy);
      return answer;
    }),
  },
  {
    name: "an ack is for everything that came before, too",
    caughtBy: ["messages are settled in any order"],
    broker: settling((outcome, delivery, healthy, site) => {
      if (outcome.kind !== "ack") return undefined;
      const held = site.heldBy(healthy);
      const answers = held.slice(0, held.indexOf(delivery) + 1).map((earlier) => earlier.settle(outcome));
      return answers.at(-1);
    }),
  },
  {
    name: "a batch of settles has one outcome",
    caughtBy: ["a hundred messages settled at the same time get a hundred answers, each its own"],
    broker(healthy, site) {
      let batch: Outcome | undefined;
      const settle = (outcome: Outcome, delivery: Delivery): Promise<Settled> => {
        if (batch === undefined) queueMicrotask(() => (batch = undefined));
        batch ??= outcome;
        return delivery.settle(batch);
      };
      return {
        consume: consumeWith(healthy, site, {
          delivery: (delivery) => ({ settle: (outcome) => settle(outcome, delivery) }),
        }),
      };
    },
  },
  {
    name: "start always answers settled",
    caughtBy: ["start answers settled while the message is held, and lost when it is not", "a late start answers lost"],
    broker: deliveries(() => ({ start: async () => "settled" })),
  },
  {
    name: "settle does not wait for the store",
    caughtBy: [
      "a settle while cut off ends, and does not claim to be settled",
      "what was acked before a crash does not come back",
      "what was requeued, released or buried before a crash is where it belongs, and not counted",
      "of messages that are being settled during a crash, those without an answer come back or are done, and the others stay settled",
    ],
    broker: settling((outcome, delivery, _healthy, site) => {
      site.later(20, () => delivery.settle(outcome).catch(() => undefined));
      return Promise.resolve("settled");
    }),
  },
  {
    name: "a late settle is answered as if it were in time",
    caughtBy: lateSettles(),
    broker: settling((outcome, delivery) => delivery.settle(outcome).then(() => "settled")),
  },
  {
    name: "a late settle is carried out on the new holder's message",
    caughtBy: lateSettles(),
    broker: settling(async (outcome, delivery, _healthy, site) => {
      const answer = await delivery.settle(outcome);
      if (answer === "lost" && "id" in delivery.message) await site.current.get(delivery.message.id)?.settle(outcome);
      return answer;
    }),
  },
  {
    name: "only the holder's own memory refuses a late settle, and the store asks for no fence",
    caughtBy: [
      "an ack of one who has not noticed its loss answers lost, and the new holder's message stays",
      "a requeue of one who has not noticed its loss answers lost and makes no second copy",
      "a release of one who has not noticed its loss answers lost and makes no second copy",
      "a bury of one who has not noticed its loss answers lost and takes nothing from the new holder",
      "a start of one who has not noticed its loss answers lost",
    ],
    broker: deliveries((delivery, _healthy, site) => {
      const held = (): Delivery | undefined => {
        const { lost, message } = delivery;
        return lost.aborted || !("id" in message) ? undefined : site.current.get(message.id);
      };
      return {
        start: async () => held()?.start() ?? "lost",
        settle: async (outcome) => held()?.settle(outcome) ?? "lost",
      };
    }),
  },
  {
    name: "lost never aborts",
    caughtBy: [
      "lost aborts when the message is taken away, and not before",
      "a closed broker hands out nothing, and what it held is lost to it",
    ],
    broker: deliveries(() => ({ lost: new AbortController().signal })),
  },
  {
    name: "every delivery has the same fence number",
    caughtBy: ["the fence number grows with each delivery of a message"],
    broker: deliveries(() => ({ fence: 1 })),
  },
  {
    name: "a broker that lost what it held never comes back",
    caughtBy: ["a broker that lost what it held goes on with new messages"],
    expire(healthy) {
      healthy.expire();
      healthy.disconnect();
    },
  },
  {
    name: "a requeued message has the lowest priority",
    caughtBy: ["a message keeps its priority through a requeue, also a delayed one"],
    broker: settling((outcome, delivery, healthy) =>
      outcome.kind === "requeue" ? publishAnew(delivery, outcome, healthy) : undefined,
    ),
  },
  {
    name: "a message that was requeued with a delay dies with who requeued it",
    caughtBy: ["a delayed message survives the crash of who sent it and of who requeued it"],
    broker: settling(async (outcome, delivery, healthy, site) => {
      if (outcome.kind !== "requeue" || outcome.delayMs === 0) return delivery.settle(outcome);
      const answer = await delivery.settle({ kind: "ack" });
      site.later(outcome.delayMs, () => publishAnew(delivery, outcome, healthy).catch(() => undefined));
      return answer;
    }),
  },
];

function lateSettles(): string[] {
  return [
    "a late ack answers lost, and the new holder's message stays",
    "a late requeue answers lost and makes no second copy",
    "a late release answers lost and makes no second copy",
    "a late bury answers lost and takes nothing from the new holder",
  ];
}

async function publishAnew(
  delivery: Delivery,
  outcome: Outcome & { kind: "requeue" },
  healthy: MemoryBroker,
): Promise<Settled> {
  const { message } = delivery;
  if ("malformed" in message) return "lost";
  await healthy.publish([
    {
      ...message,
      id: `${message.id}-again`,
      priority: 0,
      headers: outcome.headers ?? message.headers,
      delayMs: outcome.delayMs,
    },
  ]);
  return delivery.settle({ kind: "ack" });
}
