import type { Push } from "../../src/scripts/publish.ts";
import { bytesOf, type Batch, type Once, type QueueModel } from "./queue-model.ts";

/** How long Redis remembers a producer. */
const producerTtlMs = 300_000;

/** A batch of a producer: stored as a whole, or not at all. */
export function publish(model: QueueModel, batch: Batch): "full" | undefined {
  const { state } = model;
  if (batch.sequence <= (state.producers.get(batch.producer) ?? 0)) {
    model.setTime(`producer ${batch.producer}`, producerTtlMs);
    return undefined;
  }
  if (model.isFull) return "full";
  for (const push of batch.pushes) store(model, push);
  state.producers.set(batch.producer, batch.sequence);
  model.setTime(`producer ${batch.producer}`, producerTtlMs);
  return undefined;
}

/** One attempt, that may be repeated. */
export function publishOnce(model: QueueModel, once: Once): "published" | "duplicate" | "full" {
  const { state } = model;
  if (state.producers.has(once.attempt)) {
    model.setTime(`producer ${once.attempt}`, producerTtlMs);
    return "published";
  }
  if (state.once.has(once.key)) return "duplicate";
  if (model.isFull) return "full";
  state.once.add(once.key);
  model.setTime(`once ${once.key}`, once.ttlMs);
  state.producers.set(once.attempt, 1);
  model.setTime(`producer ${once.attempt}`, producerTtlMs);
  store(model, once.push);
  return "published";
}

/** What another program pushes. */
export function pushBytes(model: QueueModel, list: number, bytes: string): "full" | undefined {
  if (model.isFull) return "full";
  model.accept(bytes);
  model.state.ready[list]?.push(bytes);
  return undefined;
}

function store(model: QueueModel, { list, delayMs, text }: Push): void {
  const bytes = bytesOf(text);
  model.accept(bytes);
  if (delayMs === 0) model.state.ready[list]?.push(bytes);
  else delay(model, { list, text: bytes, ms: delayMs + 1 });
}

/** Puts a message aside for so long. */
export function delay(
  model: QueueModel,
  { list, text, ms }: { readonly list: number; readonly text: string; readonly ms: number },
): void {
  const number = numbered((model.state.counters.delayed += 1));
  model.state.delayed.set(number, { list, text });
  model.setTime(`due ${number}`, ms);
}

/** With as many digits as all others have, so that they sort as numbers do. */
export function numbered(count: number): string {
  return String(count).padStart(16, "0");
}
