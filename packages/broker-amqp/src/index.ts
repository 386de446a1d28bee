import type { Broker, BrokerFactory } from "@q/core/broker";
import { AmqpBroker } from "./amqp-broker.ts";
import { urlSchemes } from "./amqp-url.ts";
import { readOptions, type AmqpOptions } from "./options.ts";

export type { AmqpOptions, AmqpQueueOptions, QueueType } from "./options.ts";

/** Makes brokers on RabbitMQ. Answers to `amqp:` and `amqps:`. */
export interface AmqpFactory extends BrokerFactory {
  /**
   * A broker on RabbitMQ 3.10 or newer, without I/O yet.
   * @param urlOrOptions one of these, whose parameters are those of the options, or options. Default `amqp://guest:guest@localhost:5672/`
   * - `amqp://user:password@mq:5672/vhost`; what is special in a URL is percent-encoded, also in the vhost
   * - `amqp://user:password@mq1,mq2,mq3/vhost`, nodes of one cluster, of which one that answers is taken
   * - `amqps://mq/vhost?ca=/etc/ssl/mq.pem`, with TLS; also `cert` and `key`
   * - Celery's `pyamqp://…`, and its lists `amqp://…;amqp://…`
   * @throws ConfigError `Q2010` not a duration, `Q2011` unknown option or parameter, `Q2026` not an address, `Q2027` another value that does not fit
   */
  (urlOrOptions?: string | AmqpOptions): Broker;
}

export const amqp: AmqpFactory = Object.assign(
  (urlOrOptions: string | AmqpOptions = {}): Broker => new AmqpBroker(readOptions(urlOrOptions)),
  { schemes: urlSchemes },
);
