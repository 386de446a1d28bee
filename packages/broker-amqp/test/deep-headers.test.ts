import { connect, type ConfirmChannel } from "amqplib";
import type { Socket } from "node:net";
import type { Delivery } from "@q/core/broker";
import { expect, test } from "vitest";
import { eventually, message, opened, ownServer, proxied } from "./opened.ts";

const server = ownServer();
const body = Buffer.from("[[], {}, {}]");

const uint = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};
const shortText = (text: string): Buffer => Buffer.concat([uint(Buffer.byteLength(text), 1), Buffer.from(text)]);

/** A value of AMQP that many arrays deep. */
function arrays(levels: number): Buffer {
  const each = 5;
  return Buffer.concat(
    Array.from({ length: levels }, (_, level) =>
      Buffer.concat([Buffer.from("A"), uint((levels - level - 1) * each, 4)]),
    ),
  );
}

/** A value of AMQP that many tables deep, of one member each. */
function tables(levels: number): Buffer {
  const member = shortText("a");
  const each = 5 + member.length;
  const parts = Array.from({ length: levels }, (_, level) => [
    ...(level === 0 ? [] : [member]),
    Buffer.from("F"),
    uint(Math.max(0, (levels - level - 1) * each), 4),
  ]);
  return Buffer.concat(parts.flat());
}

function frame(type: number, channel: number, payload: Buffer): Buffer {
  return Buffer.concat([uint(type, 1), uint(channel, 2), uint(payload.length, 4), payload, Buffer.from([0xce])]);
}

/** Sends what amqplib cannot write itself: https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf, 4.2 */
async function put(queue: string, header: Buffer): Promise<void> {
  const connection = await connect(server().url);
  const channel = await connection.createConfirmChannel();
  // Their types do not tell of these.
  const { ch, unconfirmed } = channel as ConfirmChannel & { readonly ch: number; readonly unconfirmed: unknown[] };
  const { stream } = connection.connection as unknown as { readonly stream: Socket };
  const publish = Buffer.concat([uint(60, 2), uint(40, 2), uint(0, 2), shortText(""), shortText(queue), uint(0, 1)]);
  const table = Buffer.concat([shortText("deep"), header]);
  const head = Buffer.concat([
    uint(60, 2),
    uint(0, 2),
    uint(0, 4),
    uint(body.length, 4),
    // A content type and headers.
    uint(0xa000, 2),
    shortText("application/json"),
    uint(table.length, 4),
    table,
  ]);
  unconfirmed.push(false);
  stream.write(Buffer.concat([frame(1, ch, publish), frame(2, ch, head), frame(3, ch, body)]));
  await channel.waitForConfirms();
  await connection.close();
}

test("headers that are nested deeper than anybody can read are a malformed message, and end no connection", async () => {
  const { proxy, url } = await proxied(server());
  const broker = await opened({ url }, "deep");
  const headers = [arrays(100), arrays(3000), arrays(20_000), tables(100), tables(4000), tables(15_000)];
  for (const header of headers) await put("deep", header);
  await broker.publish([message("deep", "behind")]);
  const came: Delivery[] = [];
  await broker.consume(["deep"], { prefetch: 10 }, (delivery) => void came.push(delivery));
  await eventually(() => expect(came).toHaveLength(headers.length + 1));
  expect(came.at(-1)?.message).toMatchObject({ id: "behind" });
  expect(came.map(({ message: found }) => "malformed" in found)).toEqual([...headers.map(() => true), false]);
  for (const delivery of came) await delivery.settle({ kind: "bury", reason: { code: "malformed", message: "no" } });
  const dead = await broker.inspector?.deadLetters("deep", { limit: 10 });
  expect(dead?.items.map(({ message: found }) => "malformed" in found && Buffer.from(found.raw).toString())).toEqual([
    false,
    ...headers.map(() => body.toString()),
  ]);
  expect(proxy.counters.accepted).toBe(2);
});
