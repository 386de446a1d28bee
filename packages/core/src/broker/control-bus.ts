import type { JsonObject } from "../json.ts";

/** Ends a subscription. May be called twice. */
export interface Subscription {
  close(): Promise<void>;
}

/**
 * Unstored broadcast between processes: heartbeats, remote commands, events. Who is not listening misses it.
 * Delivery is best effort and in order per sender; a sender hears itself when it subscribes.
 */
export interface ControlBus {
  /**
   * @param channel `[a-z0-9.-]`, up to 64 characters
   * @param payload at most 64 KiB as JSON
   * @throws BrokerError `Q1014` for another channel or payload, see `assertChannel` and `encodePayload`; others when the broker cannot be reached
   */
  broadcast(channel: string, payload: JsonObject): Promise<void>;
  /**
   * Resolves when listening has begun. `onPayload` must not throw; a payload that is not an object is dropped, see `decodePayload`.
   * @throws as `broadcast`
   */
  subscribe(channel: string, onPayload: (payload: JsonObject) => void): Promise<Subscription>;
}
