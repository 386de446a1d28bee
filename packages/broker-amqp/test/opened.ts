import { silentLogger, type Broker, type Delivery, type OutgoingMessage } from "@q/core/broker";
import { RabbitServer, TcpProxy, type RabbitServerOptions } from "@q/test-servers";
import { afterAll, beforeAll, onTestFinished, vi } from "vitest";
import { amqp, type AmqpOptions } from "../src/index.ts";

/** A server of its own for a test file that breaks it. */
export function ownServer(options: RabbitServerOptions = {}): () => RabbitServer {
  let server: RabbitServer | undefined;
  beforeAll(async () => {
    server = await RabbitServer.start(options);
  }, 180_000);
  afterAll(async () => {
    await server?.stop();
  });
  return () => {
    if (server === undefined) throw new Error("expected a server that has started");
    return server;
  };
}

/** An open broker, which closes when the test ends. */
export async function opened(options: AmqpOptions, queue?: string): Promise<Broker> {
  const broker = amqp(options);
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  if (queue !== undefined) await broker.declare([{ name: queue, priorities: false }]);
  return broker;
}

/** A bad network in front of a server, which ends with the test. */
export async function proxied(server: RabbitServer): Promise<{ readonly proxy: TcpProxy; readonly url: string }> {
  const proxy = await TcpProxy.start({ port: server.port });
  onTestFinished(() => proxy.stop());
  return { proxy, url: `amqp://guest:guest@127.0.0.1:${proxy.port}` };
}

export function message(queue: string, id: string, changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    id,
    queue,
    priority: 0,
    headers: { task: "t", id },
    properties: { contentType: "application/json", contentEncoding: "utf-8", correlationId: id },
    body: "[[], {}, {}]",
    ...changes,
  };
}

/** Consumes a queue; what comes is in the list, and acked. */
export async function consumed(broker: Broker, queue: string): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  await broker.consume([queue], { prefetch: 10 }, (delivery) => {
    deliveries.push(delivery);
    // Whether it can be stored is what some tests are about.
    delivery.settle({ kind: "ack" }).catch(() => undefined);
  });
  return deliveries;
}

export function idsOf(deliveries: readonly Delivery[]): readonly string[] {
  return deliveries.map(({ message: found }) => ("malformed" in found ? "(malformed)" : found.id));
}

export async function eventually(check: () => unknown): Promise<void> {
  await vi.waitFor(check, { timeout: 20_000, interval: 20 });
}
