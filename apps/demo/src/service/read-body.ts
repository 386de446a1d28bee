import { maxEventBytes } from "../events/check-event.ts";
import { EventRefused } from "../events/event-refused.ts";

/** Of a body that is too large this much is still taken off the line, so that the client gets to read why it was refused. */
const mostDrainedBytes = 8 * maxEventBytes;

/**
 * The body of a request as text, never holding more of it than an event may have.
 * @throws EventRefused `too_large`
 */
export async function readBody(request: Request): Promise<string> {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  // The server reads no further than the declared length.
  if (declared <= maxEventBytes) return await request.text();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // True: the body of a request is a stream of bytes.
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes <= maxEventBytes) chunks.push(chunk);
    if (bytes > mostDrainedBytes) break;
  }
  if (bytes > maxEventBytes)
    throw new EventRefused(413, "too_large", `the event is larger than ${maxEventBytes} bytes`);
  return Buffer.concat(chunks).toString();
}
