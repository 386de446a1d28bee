import { connect, type ConfirmChannel } from "amqplib";

/** Whoever closes what was opened. */
interface Owner {
  defer(action: () => Promise<void>): void;
}

/** A channel of somebody who is not us, on a connection of its own that ends with its owner. */
export async function openChannel(owner: Owner, url: string): Promise<ConfirmChannel> {
  const connection = await connect(url);
  // What is wrong with it, its calls say.
  connection.on("error", () => undefined);
  owner.defer(() => connection.close().catch(() => undefined));
  const channel = await connection.createConfirmChannel();
  channel.on("error", () => undefined);
  return channel;
}
