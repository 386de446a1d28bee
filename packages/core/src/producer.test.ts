import { expect, test } from "vitest";
import { PublishFailed, PublishRejected } from "./broker/broker-error.ts";
import { bodySize, type OutgoingMessage } from "./broker/broker-message.ts";
import type { PublishLimits } from "./broker/broker.ts";
import type { Publication } from "./broker/once.ts";
import { Producer } from "./producer.ts";
import type { SendKey } from "./send-key.ts";
import { FakeClock } from "./testing/fake-clock.ts";

function message(id: string, queue = "default", bytes = 10): OutgoingMessage {
  return {
    id,
    queue,
    priority: 0,
    headers: {},
    properties: { contentType: "application/json", contentEncoding: "utf-8" },
    body: new Uint8Array(bytes),
  };
}

function send(producer: Producer, what: OutgoingMessage, key: SendKey | null = null): Promise<Publication> {
  const bytes = bodySize(what.body);
  return new Promise((resolve, reject) =>
    producer.send({ message: what, key, bytes, stored: resolve, failed: reject }),
  );
}

/** A producer whose broker answers when the test says so. */
function setUp(maxBufferedBytes = 1_000_000, limits?: PublishLimits) {
  const clock = new FakeClock();
  const calls: { readonly ids: readonly string[]; readonly answer: (error?: Error) => void }[] = [];
  const producer = new Producer({
    limits,
    clock,
    publishTimeoutMs: 10_000,
    maxBufferedBytes,
    publish: (messages) =>
      new Promise((resolve, reject) => {
        calls.push({
          ids: messages.map(({ id }) => id),
          answer: (error) => (error === undefined ? resolve() : reject(error)),
        });
      }),
    publishOnce: ({ id }, { key }) =>
      new Promise((resolve, reject) => {
        calls.push({
          ids: [id],
          answer: (error) =>
            error === undefined ? resolve(key === "used" ? "duplicate" : "published") : reject(error),
        });
      }),
  });
  return { clock, calls, producer };
}

/** Ids: `count` numbers from `first` on. */
function numbers(count: number, first = 0): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(first + index));
}

const code = (sending: Promise<unknown>): Promise<string> =>
  sending.then(
    () => "sent",
    (error: unknown) => (error as { code: string }).code,
  );

test("sends of one tick are one call, and what comes meanwhile goes out together next", async () => {
  const { clock, calls, producer } = setUp();
  const first = ["a", "b", "c"].map((id) => send(producer, message(id)));
  await clock.advance(0);
  const second = ["d", "e"].map((id) => send(producer, message(id)));
  await clock.advance(0);
  expect(calls.map(({ ids }) => ids)).toEqual([["a", "b", "c"]]);
  calls[0]?.answer();
  await Promise.all(first);
  await clock.advance(0);
  expect(calls[1]?.ids).toEqual(["d", "e"]);
  calls[1]?.answer();
  await Promise.all(second);
});

test("a broker that takes several calls gets them in order, and who has an answer does not wait for the others", async () => {
  const { clock, calls, producer } = setUp(1_000_000, { messagesOfCall: 2, callsAtOnce: 2 });
  const [first, second, ...others] = ["a", "b", "c", "d", "e"].map((id) => send(producer, message(id)));
  await clock.advance(0);
  expect(calls.map(({ ids }) => ids)).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
  calls[0]?.answer();
  expect(await Promise.all([first, second])).toEqual(["published", "published"]);
  await clock.advance(0);
  expect(calls[2]?.ids).toEqual(["e"]);
  for (const { answer } of calls.slice(1)) answer();
  await Promise.all(others);
});

test("a call that is full leaves at once, and the sends behind it are made while it is stored", async () => {
  const { clock, calls, producer } = setUp(1_000_000, { messagesOfCall: 20, callsAtOnce: 2 });
  const sends = numbers(50).map((id) => send(producer, message(id)));
  expect(calls.map((call) => call.ids)).toEqual([numbers(20), numbers(20, 20)]);
  for (let call = 0; call < 3; call += 1) {
    calls[call]?.answer();
    await clock.advance(0);
  }
  await Promise.all(sends);
  expect(calls[2]?.ids).toEqual(numbers(10, 40));
});

test("a call leaves as soon as enough wait for it, and when all are under way the next one takes as many as it may have", async () => {
  const { clock, calls, producer } = setUp(1_000_000, { messagesOfCall: 100, leavesAt: 40, callsAtOnce: 2 });
  const sends = numbers(200).map((id) => send(producer, message(id)));
  // The first leaves half of what waits to the second.
  expect(calls.map((call) => call.ids)).toEqual([numbers(20), numbers(40, 20)]);
  for (let call = 0; call < 4; call += 1) {
    calls[call]?.answer();
    await clock.advance(0);
  }
  await Promise.all(sends);
  expect(calls.slice(2).map((call) => call.ids)).toEqual([numbers(100, 60), numbers(40, 160)]);
});

test("calls that can be under way share what waits, unless it is little", async () => {
  const { clock, calls, producer } = setUp(1_000_000, { messagesOfCall: 1000, callsAtOnce: 2 });
  const many = numbers(100).map((id) => send(producer, message(id)));
  await clock.advance(0);
  expect(calls.map((call) => call.ids)).toEqual([numbers(50), numbers(50, 50)]);
  for (const { answer } of calls) answer();
  await Promise.all(many);
  const few = numbers(10).map((id) => send(producer, message(id)));
  await clock.advance(0);
  expect(calls.slice(2).map((call) => call.ids)).toEqual([numbers(10)]);
  calls[2]?.answer();
  await Promise.all(few);
});

test("of several calls one that has no answer keeps its place, and the others go on; when none has, what waits is refused", async () => {
  const { clock, calls, producer } = setUp(1_000_000, { messagesOfCall: 1, callsAtOnce: 2 });
  const [late, ok, next, waiting] = ["a", "b", "c", "d"].map((id) => code(send(producer, message(id))));
  await clock.advance(5000);
  calls[1]?.answer();
  expect(await ok).toBe("sent");
  await clock.advance(5000);
  expect(await late).toBe("Q1102");
  expect(calls.map(({ ids }) => ids)).toEqual([["a"], ["b"], ["c"]]);
  await clock.advance(5000);
  expect([await next, await waiting]).toEqual(["Q1102", "Q1101"]);
  // Until an answer makes room, nothing goes out.
  const behind = code(send(producer, message("e")));
  await clock.advance(0);
  expect(calls).toHaveLength(3);
  calls[0]?.answer();
  await clock.advance(0);
  expect(calls[3]?.ids).toEqual(["e"]);
  calls[3]?.answer();
  expect(await behind).toBe("sent");
});

test("queues do not wait for each other", async () => {
  const { clock, calls, producer } = setUp();
  void send(producer, message("a", "one"));
  void send(producer, message("b", "two"));
  await clock.advance(0);
  expect(calls.map(({ ids }) => ids)).toEqual([["a"], ["b"]]);
});

test("each message of a batch that partly failed gets its own answer", async () => {
  const { clock, calls, producer } = setUp();
  const sends = ["a", "b", "c"].map((id) => code(send(producer, message(id))));
  await clock.advance(0);
  calls[0]?.answer(new PublishFailed(new Map([[1, new PublishRejected("Q1101", "no")]])));
  expect(await Promise.all(sends)).toEqual(["sent", "Q1101", "sent"]);
});

test("without an answer in time, what was handed over is unknown and what was not is rejected", async () => {
  const { clock, producer } = setUp();
  const handedOver = code(send(producer, message("a")));
  await clock.advance(0);
  const behind = code(send(producer, message("b")));
  await clock.advance("10s");
  expect(await handedOver).toBe("Q1102");
  expect(await behind).toBe("Q1101");
  const later = code(send(producer, message("c")));
  await clock.advance("10s");
  expect(await later).toBe("Q1101");
  await producer.flush();
});

test("a broker that answers after all is used again", async () => {
  const { clock, calls, producer } = setUp();
  const late = code(send(producer, message("a")));
  await clock.advance("10s");
  expect(await late).toBe("Q1102");
  calls[0]?.answer();
  const next = code(send(producer, message("b")));
  await clock.advance(0);
  calls[1]?.answer();
  expect(await next).toBe("sent");
});

test("a send beyond the buffer is refused at once, and there is room again when the others are through", async () => {
  const { clock, calls, producer } = setUp(2000);
  const sends = ["a", "b", "c"].map((id) => code(send(producer, message(id, "default", 400))));
  await clock.advance(0);
  expect(await sends[2]).toBe("Q1104");
  calls[0]?.answer();
  expect(await Promise.all(sends)).toEqual(["sent", "sent", "Q1104"]);
  const next = code(send(producer, message("d", "default", 400)));
  await clock.advance(0);
  calls[1]?.answer();
  expect(await next).toBe("sent");
});

test("a call has at most 1,000 messages and 4 MiB", async () => {
  const { clock, calls, producer } = setUp(100_000_000);
  for (let n = 0; n < 1500; n += 1) void send(producer, message(String(n), "many"));
  for (let n = 0; n < 6; n += 1) void send(producer, message(String(n), "large", 1_000_000));
  await clock.advance(0);
  expect(calls.map(({ ids }) => ids.length)).toEqual([1000, 4]);
});

test("flush resolves when nothing waits any more, whether it was sent or not", async () => {
  const { clock, calls, producer } = setUp();
  const sent = code(send(producer, message("a")));
  let flushed = false;
  const flushing = producer.flush().then(() => (flushed = true));
  await clock.advance(0);
  expect(flushed).toBe(false);
  calls[0]?.answer(new PublishRejected("Q1101", "no"));
  await flushing;
  expect(await sent).toBe("Q1101");
});

test("a broker that fails without saying why has not taken the message", async () => {
  // A broker in JavaScript may.
  const fail = async (): Promise<never> => {
    await Promise.resolve();
    // oxlint-disable-next-line typescript/only-throw-error
    throw undefined;
  };
  const producer = new Producer({
    clock: new FakeClock(),
    publishTimeoutMs: 10_000,
    maxBufferedBytes: 1000,
    publish: fail,
    publishOnce: fail,
  });
  expect(await code(send(producer, message("a")))).toBe("Q1102");
  expect(await code(send(producer, message("a"), { key: "k", ttlMs: 1000 }))).toBe("Q1102");
});

test("sends with a key are a call each and hear what became of theirs, side by side with the others", async () => {
  const { clock, calls, producer } = setUp();
  const keys = ["new", "used", "odd"];
  const sends = keys.map((key) => send(producer, message(key), { key, ttlMs: 1000 }));
  const plain = send(producer, message("plain"));
  const [published, duplicate, refused] = sends.map((sending) => sending.catch(() => "refused"));
  await clock.advance(0);
  expect(calls.map(({ ids }) => ids)).toEqual([["new"], ["used"], ["odd"], ["plain"]]);
  calls[3]?.answer();
  expect(await plain).toBe("published");
  calls[0]?.answer();
  calls[1]?.answer();
  calls[2]?.answer(new PublishRejected("Q1101", "no"));
  expect([await published, await duplicate, await refused]).toEqual(["published", "duplicate", "refused"]);
});

test("a send with a key has the same time for its answer, and is waited for by flush", async () => {
  const { clock, producer } = setUp();
  const sent = code(send(producer, message("a"), { key: "k", ttlMs: 1000 }));
  let flushed = false;
  const flushing = producer.flush().then(() => (flushed = true));
  await clock.advance("9s");
  expect(flushed).toBe(false);
  await clock.advance("1s");
  await flushing;
  expect(await sent).toBe("Q1102");
});

test("after an answer that never came, nothing keeps the process alive", async () => {
  const alive = new Set<object>();
  const clock = new FakeClock();
  const producer = new Producer({
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer(delayMs, callback) {
        const timer = clock.setTimer(delayMs, () => {
          alive.delete(timer);
          callback();
        });
        alive.add(timer);
        return {
          cancel: () => {
            alive.delete(timer);
            timer.cancel();
          },
        };
      },
    },
    publishTimeoutMs: 10_000,
    maxBufferedBytes: 10_000,
    publish: () => new Promise(() => {}),
    publishOnce: () => new Promise(() => {}),
  });
  const sends = [code(send(producer, message("a")))];
  await clock.advance("1m");
  sends.push(code(send(producer, message("b"))));
  expect(alive.size).toBe(1);
  await clock.advance("1m");
  expect([await Promise.all(sends), alive.size]).toEqual([["Q1102", "Q1101"], 0]);
});
