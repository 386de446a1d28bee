import type { ConsumeMessage } from "amqplib";
import { randomUUID } from "node:crypto";
import {
  BrokerError,
  PublishUnknown,
  silentLogger,
  systemClock,
  tickHeader,
  type BrokerMessage,
  type JsonObject,
} from "@q/core/broker";
import { expect, test, vi } from "vitest";
import type { Link } from "./link.ts";
import { schedulesQueue } from "./names.ts";
import { readOptions } from "./options.ts";
import { ScheduleKeeper } from "./schedule-keeper.ts";
import { copyOf, messageType, stateMessage, toQueue } from "./schedule-message.ts";
import { decodeAnswer, encodeRequest, type ScheduleRequest } from "./schedule-request.ts";
import { noState, withSchedule, type ScheduleState } from "./schedule-state.ts";

/** The server's side of a keeper: what it hands out, and what it is told. */
class Server {
  readonly acked: number[] = [];
  readonly answers = new Map<string, unknown>();
  /** What was sent, and what the next sends of messages fail with. */
  readonly sent: BrokerMessage[] = [];
  readonly failures: Error[] = [];
  readonly ended = new AbortController();
  readonly keeper: ScheduleKeeper;
  readonly #marks: string[] = [];
  #tag = 0;

  constructor() {
    this.keeper = new ScheduleKeeper({
      settings: readOptions(),
      clock: systemClock,
      logger: silentLogger,
      publisher: {
        consign: (message) => {
          this.sent.push(message);
          return toQueue(message.queue, Buffer.alloc(0), {});
        },
      },
      topology: { declareSide: async () => undefined },
      link: { fail: (error: unknown) => this.ended.abort(error) } as unknown as Link, // all that is used of it
      sends: {
        send: async ({ queue }) => {
          const failure = queue === schedulesQueue ? undefined : this.failures.shift();
          if (failure !== undefined) throw failure;
        },
      },
      ended: this.ended.signal,
      write: (_to, _content, { messageId }) => void this.#marks.push(messageId ?? ""),
      ack: (tag) => {
        // As the server does: it closes the channel.
        if (this.acked.includes(tag)) this.ended.abort(new Error(`unknown delivery tag ${tag}`));
        this.acked.push(tag);
      },
      answer: (id, _to, content) => void this.answers.set(id, answerIn(content)),
      end: (reason) => this.ended.abort(reason),
    });
  }

  get marks(): number {
    return this.#marks.length;
  }

  handOut(
    { type, id = randomUUID(), content = Buffer.alloc(0) }: { type: string; id?: string; content?: Buffer },
    redelivered = false,
  ): number {
    this.#tag += 1;
    const fields = { deliveryTag: this.#tag, redelivered };
    // All that is read of one.
    this.keeper.onMessage({ fields, properties: { type, messageId: id }, content } as unknown as ConsumeMessage);
    return this.#tag;
  }

  state(state: ScheduleState, redelivered = false): number {
    const { content } = stateMessage(state, "another");
    return this.handOut({ type: messageType.state, id: `another ${state.version}`, content }, redelivered);
  }

  request(request: ScheduleRequest, redelivered = false): string {
    const id = randomUUID();
    this.handOut({ type: messageType.request, id, content: encodeRequest(request) }, redelivered);
    return id;
  }

  /** The mark that was put last comes back. */
  mark(): void {
    this.handOut({ type: messageType.mark, id: this.#marks.at(-1) ?? "" });
  }

  async answer(id: string): Promise<unknown> {
    return await vi.waitFor(() => {
      if (!this.answers.has(id)) throw new Error("expected an answer");
      return this.answers.get(id);
    });
  }
}

function answerIn(content: Buffer): unknown {
  try {
    return decodeAnswer(content);
  } catch (error) {
    return error;
  }
}

const older = withSchedule(noState("one"), "a", { lastTick: 1000 });
const newer = withSchedule(withSchedule(older, "a", { lastTick: 2000 }), "a", { paused: true });
const list: ScheduleRequest = { kind: "list" };

test("nothing is carried out before all that is in the queue is known", async () => {
  const server = new Server();
  server.keeper.putMark();
  server.state(older);
  const id = server.request(list);
  server.state(newer);
  expect(server.answers.size).toBe(0);
  server.mark();
  expect(await server.answer(id)).toEqual([["a", 2000, true, null]]);
});

test("a mark that somebody else has put, or that was put before, means nothing", async () => {
  const server = new Server();
  server.keeper.putMark();
  server.state(older);
  server.handOut({ type: messageType.mark });
  const id = server.request(list);
  await Promise.resolve();
  expect(server.answers.size).toBe(0);
  server.mark();
  expect(await server.answer(id)).toEqual([["a", 1000, false, null]]);
});

test("one that RabbitMQ has passed over for a while looks again before it carries anything out", async () => {
  const server = new Server();
  server.keeper.putMark();
  server.state(older);
  server.mark();
  await server.answer(server.request(list));
  const before = server.marks;
  // What another one held, in the order of the queue: its state is behind what was asked of it.
  const id = server.request(list, true);
  expect(server.marks).toBe(before + 1);
  server.state(newer, true);
  server.mark();
  expect(await server.answer(id)).toEqual([["a", 2000, true, null]]);
});

test("of a queue that is full of what is nobody's nothing is kept, and nothing is sent", async () => {
  const server = new Server();
  server.keeper.putMark();
  const id = server.request(list);
  for (let at = 0; at < 1000; at += 1) server.handOut({ type: "junk" });
  expect(server.ended.signal.aborted).toBe(true);
  expect(server.ended.signal.reason).toBeInstanceOf(BrokerError);
  expect(await server.answer(id)).toMatchObject({ code: "Q1027" });
  // What is no request is there for whoever looks.
  expect(server.acked).toEqual([1]);
});

test("where the state cannot be read each request is answered and acked once, and then the keeper ends", async () => {
  const server = new Server();
  server.keeper.putMark();
  const unreadable = server.handOut({ type: messageType.state });
  const before = server.request(list);
  server.mark();
  const behind = server.request(list);
  for (const id of [before, behind]) expect(await server.answer(id)).toMatchObject({ code: "Q1027" });
  expect(server.ended.signal.aborted).toBe(false);
  server.mark();
  expect(server.ended.signal.reason).toBeInstanceOf(BrokerError);
  expect(server.acked).not.toContain(unreadable);
});

/** The message of a tick of `a`, to be sent. */
function fire(at: number, headers: JsonObject = { [tickHeader]: at }): ScheduleRequest {
  const properties = { contentType: "application/json", contentEncoding: "utf-8" };
  const message = { id: `tick ${at}`, queue: "default", priority: 0, headers, properties, body: "[]" };
  return { kind: "fire", name: "a", at, isStored: false, priorities: false, message };
}

test("only a tick that may have been sent before can be told from another message of it", async () => {
  const server = new Server();
  server.keeper.putMark();
  server.state(older);
  server.mark();
  for (const at of [2000, 3000]) expect(await server.answer(server.request(fire(at)))).toBe("fired");
  server.failures.push(new PublishUnknown("Q1102", "no answer"));
  expect(await server.answer(server.request(fire(4000)))).toMatchObject({ code: "Q1102" });
  for (const at of [4000, 5000]) expect(await server.answer(server.request(fire(at)))).toBe("fired");
  expect(server.sent.map((message) => [message.id, copyOf(message) !== ""])).toEqual([
    ["tick 2000", true],
    ["tick 3000", false],
    ["tick 4000", false],
    ["tick 4000", true],
    ["tick 5000", false],
  ]);
  const counts = async (at: number, copy: string): Promise<unknown> =>
    await server.answer(server.request({ kind: "counts", name: "a", at, copy }));
  const [first, , inDoubt, again] = server.sent.map(copyOf);
  expect([await counts(2000, first ?? ""), await counts(2000, "")]).toEqual([true, false]);
  expect([await counts(4000, inDoubt ?? ""), await counts(4000, again ?? "")]).toEqual([false, true]);
  expect(await counts(3000, "")).toBe(true);
});

test("what somebody else has written there is asked for as nothing", () => {
  const headers = { [tickHeader]: 2000, q_copy: "x".repeat(1000) };
  const { message } = fire(2000, headers) as Extract<ScheduleRequest, { kind: "fire" }>;
  if (message === null) throw new Error("expected a message");
  expect(copyOf(message)).toBe("");
});

test("where nobody asks, nothing is told apart", async () => {
  const server = new Server();
  server.keeper.putMark();
  server.state(older);
  server.mark();
  expect(await server.answer(server.request(fire(2000, {})))).toBe("fired");
  expect(server.sent.map(copyOf)).toEqual([""]);
});
