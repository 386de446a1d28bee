import type { ChannelModel } from "amqplib";
import { unreadableHeader } from "./envelope.ts";

/** Of amqplib's connection, what reads a frame: its types do not say so. */
interface FrameReader {
  /** What has come and is not read yet. */
  rest: Buffer;
  recvFrame(): unknown;
}

/** AMQP's type of a frame with the properties of a message, and where its parts are. */
const propertiesFrame = 2;
const at = { channel: 1, id: 7, size: 11 } as const;

/**
 * Lets a message whose headers amqplib cannot read come without them. It reads tables by recursion: some thousand levels, which RabbitMQ takes from anybody, overflow
 * its stack. It gives the connection up then, RabbitMQ hands the message out again, and so on for ever.
 */
export function surviveUnreadableHeaders({ connection }: ChannelModel): void {
  const reader = connection as unknown as FrameReader; // as above
  const recvFrame = reader.recvFrame.bind(reader);
  reader.recvFrame = () => {
    // When the rest is not a whole frame, this is called once more by itself, with more of it.
    const { rest: before } = reader;
    try {
      return recvFrame();
    } catch (error) {
      const frame = before.subarray(0, before.length - reader.rest.length);
      if (frame[0] !== propertiesFrame) throw error;
      const headers = { [unreadableHeader]: error instanceof Error ? error.message : String(error) };
      return {
        id: frame.readUInt16BE(at.id),
        channel: frame.readUInt16BE(at.channel),
        size: Number(frame.readBigUInt64BE(at.size)),
        fields: { headers },
      };
    }
  };
}
