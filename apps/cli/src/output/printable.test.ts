import { expect, test } from "vitest";
import { cut, printable, printableJson } from "./printable.ts";

test("a terminal escape in a task name does not reach the terminal", () => {
  expect(printable("evil\u001b[2J\u001b]0;title\u0007name")).toBe("evilname");
  expect(printable("bell\u0007 and a lone \u001b")).toBe("bell\uFFFD and a lone \uFFFD");
  expect(printable("\u001b[31mred\u001b[0m")).toBe("red");
});

test("a line break becomes a blank, so that nobody can forge a line", () => {
  expect(printable("a\nok  b\r\tc")).toBe("a ok  b c");
});

test("characters that turn the reading direction are shown as unreadable", () => {
  expect(printable("abc\u202Egpj.exe")).toBe("abc\uFFFDgpj.exe");
});

test("other letters stay", () => {
  expect(printable("Zürich 東京 🎈")).toBe("Zürich 東京 🎈");
});

test("a text that is cut ends in an ellipsis and never in half a character", () => {
  expect(cut("abcdef", 4)).toBe("abc…");
  expect(cut("abcd", 4)).toBe("abcd");
  expect(cut("ab🎈cd", 4)).toBe("ab…");
});

test("JSON that is shown does not steer the terminal, and says the same", () => {
  const value = { task: "evil\u009b2J", file: "abc\u202egpj.exe", rest: ["\u001b[2J", "\u007f", "Zürich\n"] };
  for (const indent of [0, 2]) {
    const json = printableJson(value, indent);
    expect(json).not.toMatch(/[\u007f-\u009f\u202e]/);
    expect(JSON.parse(json)).toEqual(value);
  }
  expect(printableJson(value)).not.toContain("\n");
  expect(printableJson({ a: 1 }, 2)).toBe('{\n  "a": 1\n}');
});
