import { expect, test } from "vitest";
import { cut, printable } from "./printable.ts";

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
