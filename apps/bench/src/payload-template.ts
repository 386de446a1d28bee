import type { Payload } from "./payload.ts";

/**
 * How others would stand in a text that holds a payload.
 * @throws Error when its numbers are not there, each once
 */
export function payloadTemplate(text: string, sample: Payload): (payload: Payload) => string {
  const [before, between, after, ...more] = text.split(new RegExp(`${sample.sentAtUs}|${sample.id}`));
  const idAt = text.indexOf(String(sample.id));
  if (after === undefined || more.length > 0 || idAt < 0 || idAt > text.indexOf(String(sample.sentAtUs)))
    throw new Error("the sample of a message does not hold its numbers, once and in their order");
  return ({ id, sentAtUs }) => `${before}${id}${between}${sentAtUs}${after}`;
}
