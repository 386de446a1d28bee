import { PublishRejected } from "@q/core/broker";
import { replyCode, replyCodeOf, rightsHint, serverText } from "./amqp-error.ts";
import type { Consignment } from "./parcel.ts";

/** What a server does not take in: it closes the channel on which such a message comes, and has stored none of them. */
export interface ChannelRefusal {
  readonly error: PublishRejected;
  readonly concerns: (consignment: Consignment) => boolean;
}

/** RabbitMQ's name for the exchange that has none. */
const defaultExchange = "amq.default";

/** Reads the error with which a channel ended; `undefined` when no message was the reason, or none that can be told. */
export function channelRefusal(reason: unknown): ChannelRefusal | undefined {
  const text = serverText(reason);
  const code = replyCodeOf(reason);
  if (code === replyCode.refused) {
    const name = /exchange '([^']*)'/.exec(text)?.[1];
    if (name === undefined) return undefined;
    const refused = name === defaultExchange ? "" : name;
    return {
      error: new PublishRejected("Q1018", `the RabbitMQ user may not do this: ${text}`, { hint: rightsHint }),
      concerns: ({ exchange }) => exchange === refused,
    };
  }
  const limit = /message size \d+ is larger than (?:configured )?max size (\d+)/.exec(text)?.[1];
  if (code !== replyCode.clash || limit === undefined) return undefined;
  return {
    error: new PublishRejected("Q1101", `expected a body of at most ${limit} bytes, which is all that RabbitMQ takes`, {
      hint: "max_message_size in rabbitmq.conf",
    }),
    concerns: ({ content }) => content.length > Number(limit),
  };
}
