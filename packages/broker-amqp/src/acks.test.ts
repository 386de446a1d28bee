import { describe, expect, test } from "vitest";
import { Acks, type AckChannel } from "./acks.ts";

/** Writes down what is sent, and answers when it is told to. */
class RecordingChannel implements AckChannel {
  readonly sent: string[] = [];
  readonly #barriers: (() => void)[] = [];

  ack(tag: number, multiple: boolean): void {
    this.sent.push(`ack ${tag}${multiple ? " and before" : ""}`);
  }

  requeue(tag: number, multiple: boolean): void {
    this.sent.push(`requeue ${tag}${multiple ? " and before" : ""}`);
  }

  barrier(): Promise<void> {
    this.sent.push("?");
    return new Promise((resolve) => this.#barriers.push(resolve));
  }

  answer(): void {
    this.#barriers.shift()?.();
  }
}

function delivered(count: number): { readonly channel: RecordingChannel; readonly acks: Acks } {
  const channel = new RecordingChannel();
  const acks = new Acks(channel);
  for (let tag = 1; tag <= count; tag += 1) acks.delivered(tag, tag % 2 === 0 ? "even" : "odd");
  return { channel, acks };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("acks", () => {
  test("go out as one frame when none before them is open", async () => {
    const { channel, acks } = delivered(5);
    for (const tag of [3, 1, 2]) void acks.ack(tag);
    await turn();
    expect(channel.sent).toEqual(["ack 3 and before", "?"]);
  });

  test("never cover one that is still open", async () => {
    const { channel, acks } = delivered(5);
    for (const tag of [1, 2, 4, 5]) void acks.ack(tag);
    await turn();
    expect(channel.sent).toEqual(["ack 2 and before", "ack 4", "ack 5", "?"]);
  });

  test("and give-backs go out in runs, in their order", async () => {
    const { channel, acks } = delivered(6);
    for (const tag of [6, 5, 4]) void acks.requeue(tag);
    for (const tag of [1, 2]) void acks.ack(tag);
    void acks.requeue(3);
    await turn();
    expect(channel.sent).toEqual(["ack 2 and before", "requeue 6 and before", "?"]);
  });

  test("are settled when the server has answered what came after them, and do not wait for that to go out", async () => {
    const { channel, acks } = delivered(3);
    const first = acks.ack(1);
    await turn();
    const others = [acks.ack(2), acks.ack(3)];
    const settled: string[] = [];
    void first.then(() => settled.push("first"));
    void Promise.all(others).then(() => settled.push("others"));
    void acks.idle().then(() => settled.push("idle"));
    await turn();
    expect(channel.sent).toEqual(["ack 1", "?", "ack 3 and before"]);
    expect([settled, acks.size]).toEqual([[], 3]);
    channel.answer();
    await turn();
    expect(channel.sent.slice(3)).toEqual(["?"]);
    expect([settled, acks.size]).toEqual([["first"], 2]);
    channel.answer();
    await turn();
    expect([settled.toSorted(), acks.size]).toEqual([["first", "idle", "others"], 0]);
  });

  test("are held back, and count as out, until it goes on", async () => {
    const { channel, acks } = delivered(5);
    acks.hold();
    for (const tag of [1, 2]) void acks.ack(tag);
    await turn();
    expect(channel.sent).toEqual([]);
    expect([acks.heldOf("odd"), acks.heldOf("even")]).toEqual([3, 2]);
    acks.goOn();
    expect(channel.sent).toEqual(["ack 2 and before", "?"]);
    expect([acks.heldOf("odd"), acks.heldOf("even")]).toEqual([2, 1]);
  });

  test("fail with their channel", async () => {
    const { channel, acks } = delivered(1);
    channel.barrier = () => Promise.reject(new Error("gone"));
    await expect(acks.ack(1)).rejects.toThrow("gone");
  });
});
