import type { Channel } from "amqplib";
import { replyCode, replyCodeOf } from "./amqp-error.ts";
import type { Link } from "./link.ts";

/** Whether the server has the queue or exchange that `look` asks for. Rejects as `Link.ask` when it says anything but yes or no. */
export async function isThere(link: Link, look: (channel: Channel) => Promise<unknown>): Promise<boolean> {
  try {
    await link.ask(look);
    return true;
  } catch (error) {
    if (replyCodeOf(error) === replyCode.missing) return false;
    throw error;
  }
}
