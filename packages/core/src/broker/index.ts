export { Bag, type Baggable } from "./bag.ts";
export {
  bodyBytes,
  bodySize,
  readyAtHeader,
  type BrokerMessage,
  type MalformedMessage,
  type MessageBody,
  type MessageProperties,
  type OutgoingMessage,
} from "./broker-message.ts";
export type {
  Broker,
  BrokerContext,
  BrokerFactory,
  ConsumeOptions,
  Consumer,
  HoldLimit,
  PublishLimits,
  QueueOptions,
} from "./broker.ts";
export { BrokerError, PublishFailed, PublishRejected, PublishUnknown, throwFailures } from "./broker-error.ts";
export { readCursor, rowsFor, writeCursor, type Place } from "./cursor.ts";
export { isDeadReason, parseDeadReason } from "./dead-reason.ts";
export type { ControlBus, Subscription } from "./control-bus.ts";
export { assertChannel, decodePayload, encodePayload } from "./control-payload.ts";
export type { DeadReason, Delivery, Outcome, Settled } from "./delivery.ts";
export type {
  DeadLetter,
  Page,
  PageOptions,
  PeekedMessage,
  QueueInspector,
  QueueStats,
  Redrive,
  WaitingState,
} from "./inspector.ts";
export type { Lease, LeaseStore } from "./lease-store.ts";
export { RenewedLease, type RenewedLeaseOptions } from "./renewed-lease.ts";
export type { OncePublisher } from "./once.ts";
export {
  readStoredEntry,
  tickHeader,
  tickToleranceMs,
  type ScheduleStore,
  type StoredSchedule,
  type Tick,
  type TickAnswer,
} from "./schedule-store.ts";
export { OptionValues } from "./option-values.ts";
export { systemLiveness, type Life, type Liveness, type ProcessIdentity } from "./process-identity.ts";
export { PollingConsumer, type Claim, type PollingConsumerOptions } from "./polling-consumer.ts";
export { formatHost, parseHost, type HostPort } from "./server-address.ts";
export { splitServerUrl } from "./server-url.ts";
export { schemeOf } from "./url-scheme.ts";
export { readTls, tlsConnectOptions, tlsOptionNames, type TlsSettings } from "./tls-settings.ts";
export {
  isJsonObject,
  parseJson,
  tryParseJson,
  type JsonArray,
  type JsonObject,
  type JsonPrimitive,
  type JsonValue,
} from "../json.ts";
export { silentLogger, type LogFields, type Logger } from "../logger.ts";
export { atMost, sleep, systemClock, type Clock, type Timer } from "../clock.ts";
export { durationMs, type Duration } from "../duration.ts";
export { ConfigError, QError, hasCode, type QErrorOptions } from "../q-error.ts";
