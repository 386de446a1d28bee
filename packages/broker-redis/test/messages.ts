import type { Delivery, OutgoingMessage } from "@q/core/broker";
import type { RedisBroker } from "../src/redis-broker.ts";

/** A message whose body is its label. */
export function message(label: string, changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    id: label,
    queue: "default",
    priority: 0,
    headers: { id: label, task: "test" },
    properties: { contentType: "application/json", contentEncoding: "utf-8" },
    body: Buffer.from(label),
    ...changes,
  };
}

/** Messages labelled `m1` to `m<count>`. */
export function messages(count: number, changes: Partial<OutgoingMessage> = {}): OutgoingMessage[] {
  return Array.from({ length: count }, (_, index) => message(`m${index + 1}`, changes));
}

/** The body as text, or that there is none. */
export function labelOf({ message: found }: Pick<Delivery, "message">): string {
  return "malformed" in found ? "(malformed)" : Buffer.from(found.body).toString();
}

/** The next `count` deliveries of a queue. Its consumer has stopped when they are there, and holds them. */
export async function take(broker: RedisBroker, count: number, queue = "default"): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  let enough = (): void => undefined;
  const arrived = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const consumer = await broker.consume([queue], { prefetch: count }, (delivery) => {
    if (deliveries.push(delivery) === count) enough();
  });
  await arrived;
  await consumer.stop();
  return deliveries;
}
