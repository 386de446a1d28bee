import type { OutgoingMessage } from "@q/core/broker";

/** A message that q's own worker would run. */
export function message(id: string, queue: string, changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    id,
    queue,
    priority: 0,
    headers: { lang: "js", task: "load.work", id, root_id: id, retries: 0 },
    properties: { contentType: "application/json", contentEncoding: "utf-8", correlationId: id },
    body: Buffer.from(JSON.stringify([[], {}, {}])),
    ...changes,
  };
}
