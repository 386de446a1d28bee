import { expect, test } from "vitest";
import { maxEventBytes, readEvent } from "../events/check-event.ts";
import { EventRefused } from "../events/event-refused.ts";
import { RequestMix, deletedProject } from "./request-mix.ts";
import type { PreparedRequest } from "./request-mix.ts";

async function requests(count: number): Promise<readonly PreparedRequest[]> {
  const mix = new RequestMix();
  const all: PreparedRequest[] = [];
  for (let index = 0; index < count; index++) all.push(await mix.next(index));
  return all;
}

test("every hundred requests hold every kind", async () => {
  const kinds = (await requests(100)).map(({ expected }) => expected);
  const count = (kind: string): number => kinds.filter((one) => one === kind).length;
  expect({
    saved: count("saved"),
    repeated: count("repeated"),
    ignored: count("ignored"),
    dead: count("dead"),
    refused: count("refused"),
  }).toEqual({
    saved: 89,
    repeated: 3,
    ignored: 4,
    dead: 2,
    refused: 2,
  });
});

test("what is to be accepted is an event with its id", async () => {
  const accepted = (await requests(100)).filter(({ expected }) => expected !== "refused");
  expect(accepted.map(({ body }) => readEvent(body).event_id)).toEqual(accepted.map(({ eventId }) => eventId));
  expect(new Set(accepted.map(({ status }) => status))).toEqual(new Set([200]));
});

test("what is to be ignored is of the deleted project, and nothing else is", async () => {
  const accepted = (await requests(100)).filter(({ expected }) => expected !== "refused");
  const ofDeleted = accepted.filter(({ body }) => readEvent(body).project === deletedProject);
  expect(ofDeleted).toEqual(accepted.filter(({ expected }) => expected === "ignored"));
});

test("what is to be refused is too large or no event", async () => {
  const refused = (await requests(200)).filter(({ expected }) => expected === "refused");
  expect(refused.map(({ status }) => status)).toEqual([413, 400, 400, 400]);
  for (const { body } of refused.filter(({ status }) => status === 400))
    expect(() => readEvent(body)).toThrow(EventRefused);
  for (const { body } of refused.filter(({ status }) => status === 413))
    expect(body.length).toBeGreaterThan(maxEventBytes);
});

test("a repeated request is an earlier one, word for word", async () => {
  const all = await requests(100);
  for (const request of all.filter(({ expected }) => expected === "repeated")) {
    expect(all.find(({ expected, eventId }) => expected === "saved" && eventId === request.eventId)?.body).toBe(
      request.body,
    );
  }
});
