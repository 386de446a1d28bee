import { isJsonObject, tryParseJson, type JsonObject } from "../json.ts";
import { BrokerError } from "./broker-error.ts";

const longestPayloadBytes = 64 * 1024;
const channelPattern = /^[a-z0-9.-]{1,64}$/;

/** @throws BrokerError `Q1014` when it is no name of a channel, see `ControlBus` */
export function assertChannel(channel: string): void {
  if (channelPattern.test(channel)) return;
  throw new BrokerError(
    "Q1014",
    `expected a channel of 1 to 64 characters out of a-z, 0-9, "." and "-", got ${JSON.stringify(channel)}`,
  );
}

/** @throws BrokerError `Q1014` when it is larger than a `ControlBus` carries */
export function encodePayload(payload: JsonObject): string {
  const text = JSON.stringify(payload);
  const bytes = Buffer.byteLength(text);
  if (bytes <= longestPayloadBytes) return text;
  throw new BrokerError("Q1014", `expected a payload of at most ${longestPayloadBytes} bytes, got ${bytes}`);
}

/** A payload from text that may be anybody's; `undefined` when it is none. */
export function decodePayload(text: string): JsonObject | undefined {
  const payload = tryParseJson(text);
  return isJsonObject(payload) ? payload : undefined;
}
