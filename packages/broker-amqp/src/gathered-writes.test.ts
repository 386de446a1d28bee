import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { gatherWrites } from "./gathered-writes.ts";

/** Something to write to, and what each of its calls to the system would carry. */
function setUp(): { readonly target: Writable; readonly calls: string[] } {
  const calls: string[] = [];
  const target = new Writable({
    highWaterMark: 8,
    write(chunk: Buffer, _encoding, done) {
      calls.push(chunk.toString());
      setImmediate(done);
    },
    writev(chunks, done) {
      calls.push(chunks.map(({ chunk }) => String(chunk)).join());
      setImmediate(done);
    },
  });
  gatherWrites(target);
  return { target, calls };
}

test("what is written in one go is one call, and what is written later another one", async () => {
  const { target, calls } = setUp();
  for (const text of ["a", "b", "c"]) target.write(text);
  await turn();
  for (const text of ["d", "e"]) target.write(text);
  await turn();
  expect(calls).toEqual(["a,b,c", "d,e"]);
});

test("whoever writes more than fits is told so, and when there is room again", async () => {
  const { target, calls } = setUp();
  const answers = ["abcd", "efgh", "ijkl"].map((text) => target.write(text));
  expect(answers).toEqual([true, false, false]);
  await new Promise((resolve) => target.once("drain", resolve));
  expect(calls).toEqual(["abcd,efgh,ijkl"]);
});

test("what is written just before the end arrives, and so does its answer", async () => {
  const { target, calls } = setUp();
  const ended = finished(target);
  const written = new Promise((resolve) => target.write("a", resolve));
  target.end("b");
  await written;
  await ended;
  expect(calls.join()).toBe("a,b");
});
