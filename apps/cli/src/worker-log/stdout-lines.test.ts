import { expect, test } from "vitest";
import { StdoutLines } from "./stdout-lines.ts";

/** A disk with room for so many bytes. */
class Disk {
  room = Infinity;
  text = "";
  readonly gaps: (readonly [lost: number, reason: string])[] = [];
  readonly lines: StdoutLines = new StdoutLines({
    onGap: (...gap) => this.gaps.push(gap),
    write: (bytes) => this.#write(bytes),
  });

  #write(bytes: Uint8Array): number {
    if (this.room === 0) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    const written = bytes.subarray(0, this.room);
    this.text += Buffer.from(written).toString();
    this.room -= written.length;
    return written.length;
  }
}

test("lines that find no room are dropped, and when there is room again it is told how many", () => {
  const disk = new Disk();
  disk.lines.write("one\n");
  disk.room = 0;
  disk.lines.write("two\n");
  disk.lines.write("three\n");
  expect(disk.gaps).toEqual([]);
  disk.room = Infinity;
  disk.lines.write("four\n");
  disk.lines.write("five\n");
  expect(disk).toMatchObject({ text: "one\nfour\nfive\n", gaps: [[2, "ENOSPC"]] });
});

test("a line that is cut off does not take the next one with it", () => {
  const disk = new Disk();
  disk.room = 2;
  disk.lines.write("one\n");
  disk.lines.write("two\n");
  // For the line break behind the piece and no more.
  disk.room = 1;
  disk.lines.write("three\n");
  disk.room = Infinity;
  disk.lines.write("four\n");
  expect(disk).toMatchObject({ text: "on\nfour\n", gaps: [[3, "ENOSPC"]] });
});

test("a slow reader is waited for, and gets all of a line", () => {
  let text = "";
  let turns = 0;
  const lines = new StdoutLines({
    onGap: () => expect.unreachable(),
    write: (bytes) => {
      turns += 1;
      if (turns % 2 === 1) throw Object.assign(new Error("try again"), { code: "EAGAIN" });
      text += Buffer.from(bytes.subarray(0, 3)).toString();
      return Math.min(3, bytes.length);
    },
  });
  lines.write("one line\n");
  expect(text).toBe("one line\n");
});
