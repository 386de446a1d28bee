import { randomUUID } from "node:crypto";
import { connect, type ChannelModel, type ConfirmChannel, type GetMessage, type Options } from "amqplib";
import { payload, type Payload } from "../payload.ts";
import { payloadTemplate } from "../payload-template.ts";
import type { Peer, Place, Runner, RunnerOptions, Sender } from "../peer.ts";
import { qOnRabbit } from "./q-amqp.ts";

/** What a task gets where nobody looks into it. */
const unread = payload(0);

/**
 * The client that q uses, by itself: a confirm channel, and what q writes, with its headers `lang`, `task` and `id`; as many messages at hand as may run,
 * and one ack for each, as its examples have it.
 */
export function rawAmqplib(queueType: "quorum" | "classic"): Peer {
  const queueSettings = { durable: true, arguments: { "x-queue-type": queueType } };
  return {
    name: "raw amqplib",
    packages: ["amqplib"],
    settings: {
      queue: queueSettings,
      prefetch: "as many as may run",
      acks: "one for each message",
    },
    share: 1,
    hasDelays: false,
    openSender,
    openRunner,
  };

  async function openSender(place: Place): Promise<Sender> {
    const { queue } = place;
    const connection = await connectTo(place);
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue(queue, queueSettings);
    const { textOf, optionsOf } = await envelopes(channel, place);
    const send = (one: Payload): Promise<void> =>
      new Promise((resolve, reject) => {
        channel.publish("", queue, Buffer.from(textOf(one)), optionsOf(randomUUID()), (cause: unknown) => {
          if (cause === null) resolve();
          else reject(new Error("RabbitMQ has not taken a message", { cause }));
        });
      });
    return {
      send,
      sendMany: (payloads) => Promise.all(payloads.map(send)),
      close: () => connection.close(),
    };
  }

  /** How q would write them. */
  async function envelopes(channel: ConfirmChannel, place: Place): Promise<Envelopes> {
    // Another one, where no worker takes it away.
    const queue = `${place.queue}.sample`;
    const sample = payload(0);
    const sender = await qOnRabbit(queueType).openSender({ ...place, queue });
    await sender.send(sample);
    await sender.close();
    const found = await channel.get(queue, { noAck: true });
    if (found === false) throw new Error("the sample of a message is not there");
    return { textOf: payloadTemplate(found.content.toString(), sample), optionsOf: optionsLike(found) };
  }

  async function openRunner(place: Place, { concurrency, readsPayload, onTask }: RunnerOptions): Promise<Runner> {
    const { queue } = place;
    const connection = await connectTo(place);
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, queueSettings);
    await channel.prefetch(concurrency);
    const { consumerTag } = await channel.consume(queue, (found) => {
      if (found === null) throw new Error("somebody has deleted the queue");
      void onTask(readsPayload ? payloadOf(found.content.toString()) : unread);
      channel.ack(found);
    });
    return {
      stop: async () => {
        await channel.cancel(consumerTag);
        await channel.close();
        await connection.close();
      },
    };
  }
}

interface Envelopes {
  readonly textOf: (payload: Payload) => string;
  readonly optionsOf: (id: string) => Options.Publish;
}

function connectTo({ host, port }: Place): Promise<ChannelModel> {
  return connect({ hostname: host, port, username: "guest", password: "guest" }, { noDelay: true });
}

/** What a message was published with; two of it do not arrive. */
function optionsLike({ properties }: GetMessage): (id: string) => Options.Publish {
  const { lang, task } = properties.headers as Readonly<Record<string, unknown>>; // written by q
  const constant = {
    persistent: true,
    mandatory: true,
    contentType: String(properties.contentType),
    contentEncoding: String(properties.contentEncoding),
  };
  return (id) => ({ ...constant, headers: { lang, task, id } });
}

function payloadOf(text: string): Payload {
  const [, named] = JSON.parse(text) as [unknown, Payload]; // Celery's body: positional, named, embed
  return named;
}
