import { Console } from "node:console";
import { PassThrough, type Writable } from "node:stream";
import { expect, test } from "vitest";
import { divertWrites } from "./divert-writes.ts";

function divert(): { stream: Writable; printed: string[]; passed: () => unknown; putBack: () => void } {
  const stream = new PassThrough();
  const printed: string[] = [];
  const putBack = divertWrites(stream, (text) => printed.push(text));
  return { stream, printed, passed: () => stream.read() as unknown, putBack };
}

test("a console on the stream prints elsewhere until the stream is put back", () => {
  const { stream, printed, passed, putBack } = divert();
  const console = new Console(stream);
  console.log("%d lines", 2);
  expect([printed, passed()]).toEqual([["2 lines\n"], null]);
  putBack();
  console.log("here");
  expect([printed, String(passed())]).toEqual([["2 lines\n"], "here\n"]);
});

test("a character that comes in two pieces is one", () => {
  const { stream, printed } = divert();
  const bytes = Buffer.from("é");
  stream.write(bytes.subarray(0, 1));
  stream.write(bytes.subarray(1));
  expect(printed.join("")).toBe("é");
});

test("who writes much is told at once that it is written, and never to wait", async () => {
  const { stream } = divert();
  const isTold = new Promise((resolve) => stream.write("x".repeat(1_000_000), resolve));
  expect(stream.write("x".repeat(1_000_000))).toBe(true);
  await isTold;
});
