import type { Broker, Delivery } from "@q/core/broker";

/** Takes this many messages from a queue, and no more, and leaves them unsettled. The time limit of the test ends a wait in vain. */
export async function take(broker: Broker, count: number, queue: string): Promise<readonly Delivery[]> {
  const taken: Delivery[] = [];
  let stop = (): void => undefined;
  const full = new Promise<void>((resolve) => (stop = resolve));
  const consumer = await broker.consume([queue], { prefetch: count }, (delivery) => {
    if (taken.push(delivery) === count) stop();
  });
  await full;
  await consumer.stop();
  return taken;
}
