import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { Screen } from "./screen.ts";

function collect(): { stream: Writable; text: () => string } {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stream, text: () => text };
}

test("without a footer, lines are written as they are", () => {
  const { stream, text } = collect();
  const screen = new Screen(stream);
  screen.line("a");
  screen.line("b");
  expect(text()).toBe("a\nb\n");
});

test("lines go above the footer, which is erased and drawn again once per turn", async () => {
  const { stream, text } = collect();
  const screen = new Screen(stream);
  screen.setFooter(["f1", "f2"]);
  screen.line("a");
  screen.line("b");
  expect(text()).toBe("f1\nf2\n");
  await expect.poll(text).toBe("f1\nf2\n\u001b[2F\u001b[Ja\nb\nf1\nf2\n");
});

test("taking the footer away leaves nothing of it, and no line behind", () => {
  const { stream, text } = collect();
  const screen = new Screen(stream);
  screen.setFooter(["f"]);
  screen.line("last");
  screen.setFooter([]);
  expect(text()).toBe("f\n\u001b[1F\u001b[Jlast\n");
});

test("clearing wipes the screen and draws the footer again at its top", () => {
  const { stream, text } = collect();
  const screen = new Screen(stream);
  screen.setFooter(["f"]);
  screen.clear();
  expect(text()).toBe("f\n\u001b[2J\u001b[3J\u001b[Hf\n");
});

test("lines that were held come behind what is said first", () => {
  const { stream, text } = collect();
  const screen = new Screen(stream);
  screen.line("before");
  screen.hold();
  screen.line("a");
  screen.line("b");
  expect(text()).toBe("before\n");
  screen.release("first");
  screen.line("c");
  screen.release();
  expect(text()).toBe("before\nfirst\na\nb\nc\n");
});

test("what others print goes above the footer at once, behind the lines that wait", () => {
  const { stream, text } = collect();
  const screen = new Screen(stream);
  screen.setFooter(["f1", "f2"]);
  screen.line("a");
  screen.print("hi\nho\n");
  expect(text()).toBe("f1\nf2\n\u001b[2F\u001b[Ja\nhi\nho\nf1\nf2\n");
});

test("a line that is printed piece by piece goes above the footer when it is whole", () => {
  const { stream, text } = collect();
  const screen = new Screen(stream);
  screen.setFooter(["f"]);
  screen.print("a");
  screen.print("b\nc");
  screen.setFooter([]);
  screen.print("d");
  expect(text()).toBe("f\n\u001b[1F\u001b[Jab\nf\n\u001b[1F\u001b[Jcd");
});

test("a line that never ends is shown before it has grown long", () => {
  const { stream, text } = collect();
  const screen = new Screen(stream);
  screen.setFooter(["f"]);
  for (let turns = 0; turns < 100; turns += 1) screen.print("\r| turning".repeat(100));
  expect(text()).toContain("turning\nf\n");
});
